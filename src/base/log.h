/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_BASE_LOG_H
#define KILIM_BASE_LOG_H
/*
 * Logging, for programs only (agent, cni, proxy): libraries and core return struct err instead. One
 * line per message on stderr, "<n>" prefix of sd-daemon(3) when the journal reads it: level,
 * module, text.
 */
enum log_level { LOG_LEVEL_ERR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* At the top of a .c file: the module's name in every line. */
#define LOG_MODULE(name) static const char *const log_module = name

void log_write(enum log_level level, const char *module, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Messages above this level are dropped; LOG_LEVEL_INFO at start. */
void log_set_level(enum log_level level);

#define log_err(...)   log_write(LOG_LEVEL_ERR, log_module, __VA_ARGS__)
#define log_warn(...)  log_write(LOG_LEVEL_WARN, log_module, __VA_ARGS__)
#define log_info(...)  log_write(LOG_LEVEL_INFO, log_module, __VA_ARGS__)
#define log_debug(...) log_write(LOG_LEVEL_DEBUG, log_module, __VA_ARGS__)

#endif
