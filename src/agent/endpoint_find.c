/* SPDX-License-Identifier: Apache-2.0 */
/* Finds endpoints by the ways in which people and runtimes name them. Called by the API handlers
 * and endpoint_restore.c. */
#include <string.h>

#include "agent/endpoint.h"
#include "model/addr.h"

struct agent_endpoint *endpoint_by_attachment(
	struct endpoints *t, const char *container_id, const char *ifname)
{
	for (struct agent_endpoint *ep = endpoint_after(t, 0); ep; ep = endpoint_after(t, ep->id)) {
		if (*container_id && str_eq(ep->container_id, container_id) &&
			str_eq(ep->ifname, ifname))
			return ep;
	}
	return NULL;
}

static struct agent_endpoint *find_attachment(struct endpoints *t, const char *text)
{
	SCOPED(freep)
	char *id = mem_strdup(text);
	char *colon = strchr(id, ':');

	if (!colon)
		return NULL;
	*colon = 0;
	return endpoint_by_attachment(t, id, colon + 1);
}

static struct agent_endpoint *find_address(struct endpoints *t, const char *text)
{
	struct addr a;

	if (addr_parse(text, &a))
		return NULL;
	for (struct agent_endpoint *ep = endpoint_after(t, 0); ep; ep = endpoint_after(t, ep->id)) {
		if (addr_eq(&a, addr_is_v4(&a) ? &ep->addr4 : &ep->addr6))
			return ep;
	}
	return NULL;
}

/* name, or namespace/name. Of several with one name the one in namespace default counts, then the
 * newest. */
static struct agent_endpoint *find_name(struct endpoints *t, const char *text)
{
	const char *slash = strchr(text, '/'), *name = slash ? slash + 1 : text;
	size_t len = slash ? (size_t)(slash - text) : 0;
	struct agent_endpoint *best = NULL;

	for (struct agent_endpoint *ep = endpoint_after(t, 0); ep; ep = endpoint_after(t, ep->id)) {
		bool ours = str_eq(ep->name, name);

		if (ours && slash)
			ours = strlen(ep->namespace) == len && !strncmp(ep->namespace, text, len);
		if (ours && (!best || str_eq(ep->namespace, "default") ||
				    !str_eq(best->namespace, "default")))
			best = ep;
	}
	return best;
}

struct agent_endpoint *endpoint_find(struct endpoints *t, const char *text)
{
	uint64_t id;

	if (!str_to_u64(text, 65535, &id)) {
		struct agent_endpoint *ep = endpoint_by_id(t, (uint32_t)id);

		return ep && ep->state != ENDPOINT_STATE_DELETING ? ep : NULL;
	}
	if (str_has_prefix(text, "cni-attachment-id:"))
		return find_attachment(t, text + strlen("cni-attachment-id:"));
	if (str_has_prefix(text, "ipv4:") || str_has_prefix(text, "ipv6:"))
		return find_address(t, text + strlen("ipv4:"));
	return find_name(t, text);
}
