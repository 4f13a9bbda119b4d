/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A scenario of two, made of what the agent has: the ends as they are known here, the compiled
 * policy in force, the addresses' identities. Called by api_explain.c. Owns nothing beyond a call.
 * Must hold: nothing is compiled or numbered anew, so that the answer is what the kernel does.
 */
#include "agent/explain.h"

#include <errno.h>
#include <string.h>

#include "abi/identity.h"
#include "agent/address.h"
#include "agent/agent.h"
#include "agent/conf.h"
#include "agent/endpoint.h"
#include "agent/policy.h"
#include "model/selector.h"
#include "model/selector_text.h"
#include "scenario/outcome.h"

enum { ENDS = 2 };

struct live {
	struct agent *agent;
	struct scenario scenario;
	struct world world;
	struct scenario_node node;
	struct addr host[ENDS]; /* addresses of the node that were named */
	struct scenario_endpoint endpoint[ENDS];
	struct prefix prefix[ENDS]; /* addresses outside, and their identities */
	uint32_t prefix_identity[ENDS], prefix_part[ENDS], host_part[ENDS];
};

static struct scenario_end add_endpoint(struct live *l, const struct agent_endpoint *ep)
{
	struct scenario *s = &l->scenario;
	struct scenario_endpoint *at = &l->endpoint[s->endpoints];

	for (size_t i = 0; i < s->endpoints; i++) {
		if (s->endpoint[i].identity == ep->identity &&
			addr_eq(&s->endpoint[i].addr[FAMILY_V4], &ep->addr4) &&
			addr_eq(&s->endpoint[i].addr[FAMILY_V6], &ep->addr6))
			return (struct scenario_end){.kind = END_ENDPOINT, .index = i};
	}
	*at = (struct scenario_endpoint){.name = arena_printf(&s->mem, "%s%s%s", ep->namespace,
						 *ep->namespace ? "/" : "", ep->name),
		.namespace = ep->namespace,
		.addr = {ep->addr4, ep->addr6},
		.labels = ep->labels,
		.identity = ep->identity,
		.part = {ep->part[0], ep->part[1]}};
	return (struct scenario_end){.kind = END_ENDPOINT, .index = s->endpoints++};
}

static struct scenario_end add_address(struct live *l, const struct addr *a)
{
	struct world *w = &l->world;
	uint32_t part = 0, identity = addresses_identity(l->agent->addresses, a, &part);

	if (identity == IDENTITY_HOST) {
		l->host_part[l->node.addrs] = part;
		l->host[l->node.addrs++] = *a;
		return (struct scenario_end){.kind = END_HOST};
	}
	l->prefix[w->prefixes] = address_host(a);
	l->prefix_part[w->prefixes] = part;
	l->prefix_identity[w->prefixes++] = identity;
	return (struct scenario_end){.kind = END_ADDRESS, .addr = *a};
}

/* The gateways stand for the node: they are its addresses, and there always are some. */
static struct scenario_end add_host(struct live *l)
{
	const struct addr *gateway[] = {&l->agent->gateway4, &l->agent->gateway6};

	for (size_t i = 0; i < ARRAY_SIZE(gateway) && !l->node.addrs; i++) {
		if (addr_is_zero(gateway[i]))
			continue;
		l->host[i] = *gateway[i];
		(void)addresses_identity(l->agent->addresses, gateway[i], &l->host_part[i]);
	}
	l->node.addrs = ENDS;
	return (struct scenario_end){.kind = END_HOST};
}

/* The first endpoint that has these labels. */
static int find_labelled(
	struct live *l, const char *text, const struct agent_endpoint **ret, struct err *e)
{
	struct endpoints *t = l->agent->endpoints;
	struct selector selector;
	int r = selector_parse(&l->scenario.mem, text, &selector, e);

	if (r < 0)
		return r;
	for (struct agent_endpoint *ep = endpoint_after(t, 0); ep; ep = endpoint_after(t, ep->id)) {
		if (selector_matches(&selector, &ep->labels)) {
			*ret = ep;
			return 0;
		}
	}
	return err_set(e, -ENOENT,
		"no endpoint of this node has %s; ask with --offline for those that do not exist",
		text);
}

static int resolve(struct live *l, const char *text, struct scenario_end *ret, struct err *e)
{
	const char *address = str_has_prefix(text, "world:") ? text + strlen("world:") : text;
	const struct agent_endpoint *ep = NULL;
	SCOPED(str_done)
	struct str name = {0};
	struct addr a;
	int r = 0;

	if (str_eq(text, "host")) {
		*ret = add_host(l);
		return 0;
	}
	if (!addr_parse(address, &a)) {
		str_printf(&name, "%s:%s", addr_is_v4(&a) ? "ipv4" : "ipv6", address);
		ep = endpoint_find(l->agent->endpoints, str_text(&name));
		*ret = ep ? add_endpoint(l, ep) : add_address(l, &a);
		return 0;
	}
	if (strchr(text, '='))
		r = find_labelled(l, text, &ep, e);
	else
		ep = endpoint_find(l->agent->endpoints, text);
	if (!r && !ep)
		r = err_set(e, -ENOENT, "there is no endpoint \"%.100s\" on this node", text);
	if (!r)
		*ret = add_endpoint(l, ep);
	return r;
}

/* Whether the slots in force know the endpoints: else they are closed, whatever policies say. */
static int check_known(const struct live *l, struct err *e)
{
	const struct scenario *s = &l->scenario;

	for (size_t i = 0; i < s->endpoints; i++) {
		if (!policies_slot(l->agent->policies, s->endpoint[i].part[0]))
			return err_set(e, -EAGAIN,
				"%s waits for its policy and passes nothing until it has it",
				s->endpoint[i].name);
	}
	return 0;
}

static json_t *answers(struct live *l, const struct question *ends, unsigned families)
{
	struct question q = *ends;
	json_t *list = json_array();

	for (q.family = 0; q.family < FAMILIES; q.family++) {
		struct explanation x SCOPED(explanation_done) = {0};
		struct answer answer;

		if (!(families & 1u << q.family))
			continue;
		judge(&l->world, &q, 1, &answer);
		answer_explain(&l->world, &q, &answer, &x);
		(void)json_array_append_new(list, explanation_json(&x));
	}
	return list;
}

static int ask(struct live *l, const struct explain_question *in, json_t **ret, struct err *e)
{
	struct question q = {.traffic = in->traffic};
	unsigned families;
	int r = resolve(l, in->from, &q.from, e);

	if (r)
		return err_prefix(e, "from");
	r = resolve(l, in->to, &q.to, e);
	if (r)
		return err_prefix(e, "to");
	r = check_known(l, e);
	families = scenario_families(&l->scenario, &q.from, &q.to, &q.traffic) & in->families;
	if (!r && !families)
		r = err_set(e, -EINVAL,
			"there is no such packet: the ends have no addresses of one family that "
			"the protocol is of");
	if (!r)
		*ret = answers(l, &q, families);
	return r;
}

int explain_live(struct agent *a, const struct explain_question *q, json_t **ret, struct err *e)
{
	struct live l = {.agent = a, .node = {.name = "", .addr = l.host}};
	struct scenario *s = &l.scenario;
	int r;

	if (!a->ready || !policies_compiled(a->policies))
		return err_set(e, -EAGAIN, "the agent is starting; try again");
	s->settings = scenario_settings_default();
	s->settings.localhost = a->conf->localhost != CONF_LOCALHOST_POLICY;
	l.node.part = l.node.host_part = l.host_part;
	s->node = &l.node;
	s->nodes = 1;
	s->endpoint = l.endpoint;
	s->set = *policies_set(a->policies);
	world_borrow(&l.world, s, a->identities, policies_compiled(a->policies));
	l.world.prefix = l.prefix;
	l.world.prefix_identity = l.prefix_identity;
	l.world.prefix_part = l.prefix_part;
	r = ask(&l, q, ret, e);
	arena_done(&s->mem);
	return r;
}
