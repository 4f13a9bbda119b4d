/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target: manifest YAML. Whatever the bytes are, yaml_parse() returns documents or an
 * error that names a place; what it takes can be written with json_write_yaml() and reads back as
 * the same value, and every place is inside the text.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "codec/json.h"
#include "codec/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_place(const struct yaml_doc *d, const json_t *j, size_t len)
{
	int line, column;

	if (yaml_where(d, j, &line, &column))
		assert(line >= 1 && column >= 1 && (size_t)line <= len + 1);
}

/* depth bounds the walk below shared values, which are many when aliases nest. */
static void check_places(const struct yaml_doc *d, const json_t *j, size_t len, unsigned depth)
{
	const char *key;
	json_t *value;

	check_place(d, j, len);
	if (!depth)
		return;
	json_object_foreach((json_t *)j, key, value)
	{
		int line, column;

		assert(yaml_where_key(d, j, key, &line, &column));
		check_places(d, value, len, depth - 1);
	}
	for (size_t i = 0; i < json_array_size(j); i++)
		check_places(d, json_array_get(j, i), len, depth - 1);
}

static void check_round_trip(const json_t *j)
{
	SCOPED(str_done)
	struct str text = {0};
	SCOPED(yaml_docs_done)
	struct yaml_docs again = {0};

	json_write_yaml(&text, j);
	if (yaml_parse("again", str_text(&text), text.len, &again, NULL) < 0)
		abort();
	if (again.count != 1 || !json_equal(again.doc[0].root, j))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	SCOPED(yaml_docs_done)
	struct yaml_docs docs = {0};
	SCOPED(freep)
	char *text = mem_dup(bytes, len);
	struct err e = {0};
	int r = yaml_parse("fuzz", text, len, &docs, &e);

	if (r < 0) {
		assert(!strncmp(e.text, "fuzz:", 5));
		assert(!docs.count);
		return 0;
	}
	for (size_t i = 0; i < docs.count; i++) {
		check_places(&docs.doc[i], docs.doc[i].root, len, 3);
		check_round_trip(docs.doc[i].root);
	}
	return 0;
}
