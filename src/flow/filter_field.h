/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_FLOW_FILTER_FIELD_H
#define KILIM_FLOW_FILTER_FIELD_H
/* The fields of a FlowFilter: how a value of each is read and compared. For flow/filter.c. */
#include "codec/json.h"
#include "flow/record.h"
#include "model/addr.h"
#include "model/selector.h"

/* One value of a field; each field uses its own member. */
union filter_value {
	uint32_t number;
	const char *text;
	struct prefix prefix;
	struct selector selector;
	struct {
		const char *namespace; /* NULL: any */
		const char *prefix;
	} name;
	struct {
		uint32_t type, sub_type; /* type 0: any */
		bool match_sub_type;
	} event;
};

/* What reading a value may need. */
struct filter_context {
	struct arena *mem;
	const char *node; /* "cluster/node" */
};

struct filter_field {
	const char *name;
	bool is_destination;
	/* NULL: flows have nothing to compare yet. */
	int (*parse)(const struct filter_context *ctx, const json_t *item, union filter_value *ret,
		struct err *e);
	bool (*match)(
		const struct flow_record *r, bool is_destination, const union filter_value *v);
};

/* The field of that name, or NULL when FlowFilter has none. */
const struct filter_field *filter_field_find(const char *name);

#endif
