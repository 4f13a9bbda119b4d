/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_CLI_CLI_H
#define KILIM_CLI_CLI_H
/*
 * What the commands of kilim share. A command is a row of one table (table.c): parsing, --help,
 * completion and the check for a man page come from it. One file per command or noun.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"

/* Exit status. Functions that return int return one of these when they say so; CLI_OK is 0. */
enum cli_exit { CLI_OK, CLI_FAILED, CLI_USAGE, CLI_UNREACHABLE };

enum cli_option_flag {
	CLI_REPEAT = 1 << 0, /* may be given several times */
	CLI_OPTIONAL = 1 << 1, /* the value may be left out; given as --name=value only */
	CLI_NEGATABLE = 1 << 2, /* a flag that also exists as --no-name */
	CLI_FILTER = 1 << 3, /* --not may stand before it */
};

struct cli_option {
	char letter; /* 0: none */
	const char *name; /* without dashes */
	const char *value; /* how help calls the value; NULL: a flag, which is "true" or "false" */
	const char *choices; /* a|b|c, or NULL */
	unsigned flags;
	const char *help;
};

struct cli;

struct cli_command {
	const char *name; /* "status", "endpoint list" */
	const char *arguments; /* "ID", "" */
	const char *summary; /* a line for help */
	unsigned arguments_min, arguments_max;
	const struct cli_option *options; /* ended by name NULL; NULL: none */
	int (*run)(const struct cli *c); /* returns enum cli_exit */
};

/* An option as it was given. */
struct cli_value {
	const struct cli_option *option;
	const char *value;
	bool is_not; /* --not stood before it */
};

enum cli_format { CLI_TABLE, CLI_JSON, CLI_YAML };

/* A parsed command line. */
struct cli {
	const struct cli_command *command; /* NULL: none, or a noun alone (word then) */
	const char *word;
	struct cli_value *value;
	size_t values, values_capacity;
	const char **argument;
	size_t arguments, arguments_capacity;
	const char *run_dir;
	enum cli_format format;
	bool color; /* of standard output */
	bool headers; /* of tables */
	bool help, version;
};

/* All commands, in the order of help; ended by name NULL. table.c */
extern const struct cli_command *const cli_commands[];
/* The options that every command takes. option.c */
extern const struct cli_option cli_global_options[];

/* The command line. On failure e has what is wrong and what may have been meant; c->command and
 * word are set as far as it got. option.c */
int cli_parse(int argc, char **argv, struct cli *c, struct err *e) MUST_USE;
void cli_done(struct cli *c); /* for SCOPED too */
/* The value of the option given last, or NULL. */
const char *cli_value(const struct cli *c, const char *name);
/* Whether the value of an option that takes a label selector is one. option.c */
int cli_check_selector(const char *option, const char *text, struct err *e) MUST_USE;
/* Whether a flag is set; otherwise is what holds when it is not given. */
bool cli_flag(const struct cli *c, const char *name, bool otherwise);

/* "; did you mean 'x'?" when one of the words is near, else nothing. nearest.c */
struct nearest {
	const char *wanted, *best;
	unsigned distance;
};
void nearest_offer(struct nearest *n, const char *word);
void nearest_write(const struct nearest *n, const char *prefix, struct str *out);

/* --help: of everything, of a noun, or of a command. help.c */
void help_write(const struct cli *c, struct str *out);

/* Print on standard error: "kilim: " and the text, filtered of control characters, line by line.
 * Returns CLI_FAILED. output.c */
int cli_fail(const struct err *e);
/* The same for a wrong use of the command, with a pointer to --help. Returns CLI_USAGE. */
int cli_misused(const struct cli *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Text to standard output as it is: it must be clean. A closed pipe ends the process quietly. */
void cli_print(const char *text, size_t len);
/* Push out what is buffered. Returns CLI_OK or, when it could not be written, CLI_FAILED. */
int cli_flush(void);
/* A value as JSON or YAML, free of control characters. */
void cli_print_value(const struct cli *c, const json_t *j);
/* JSON text with the control characters that JSON leaves alone escaped. */
void cli_add_json(struct str *out, const char *text);
/* Text of several lines from the agent: control characters but newlines and tabs are replaced. */
void cli_clean(struct str *out, const char *text);
/* A string member, "" when absent or of another type; an integer member, 0. */
const char *cli_text(const json_t *j, const char *key);
long long cli_number(const json_t *j, const char *key);
/* 9.2 MiB, 3h12m5s */
void cli_format_bytes(struct str *out, double bytes);
void cli_format_seconds(struct str *out, long long seconds);
/* The strings of a list with a separator between. */
void cli_join(struct str *out, const json_t *list, const char *separator);

/*
 * Calls to the agent; path begins with /v1. what says for the user what it is about ("policy
 * web.yaml"), for the notice that is printed when it takes long. They print failures and return
 * enum cli_exit. agent.c
 */
int cli_call(const struct cli *c, const char *method, const char *path, const json_t *body,
	const char *what, json_t **ret) MUST_USE;
/* GET */
int cli_get(const struct cli *c, const char *path, json_t **ret) MUST_USE;
/* The same without printing: *ret_status is 0 when the agent cannot be reached. */
int cli_try(const struct cli *c, const char *method, const char *path, const json_t *body,
	const char *what, int *ret_status, json_t **ret, struct err *e) MUST_USE;
/* GET of a list: -o json and yaml print it as it is, otherwise row is called per element and the
 * table printed. */
struct text_column;
struct text_table;
int cli_list(const struct cli *c, const char *path, const struct text_column *columns,
	void (*row)(struct text_table *t, const json_t *j)) MUST_USE;
/* The same for a list that is there already. */
void cli_print_list(const struct cli *c, const json_t *list, const struct text_column *columns,
	void (*row)(struct text_table *t, const json_t *j));
/* GET of a text. */
int cli_get_text(const struct cli *c, const char *path, char **ret) MUST_USE;
/* GET of a stream until its end, Ctrl-C (CLI_OK) or a failure. line returns non-zero to end. */
int cli_stream(const struct cli *c, const char *path,
	int (*line)(const char *line, size_t len, void *data), void *data) MUST_USE;

#endif
