/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the input of the packet target. Must hold: every input is a script, if a short one.
 */
#include "fuzz/script.h"

#include <string.h>

enum { ETHERNET = 14 };

bool script_begin(struct script *s, uint8_t *ret_policy)
{
	uint8_t first = s->at < s->end ? *s->at++ : 0;

	*ret_policy = first & 0x7f;
	return first & 0x80;
}

static bool packet_next(struct script *s, uint8_t op, struct script_step *ret)
{
	enum who device = (enum who)(1 + (op & 15) % UPLINK);
	size_t len;

	if (s->end - s->at < 2)
		return false;
	len = (size_t)(s->at[0] | s->at[1] << 8);
	s->at += 2;
	if (len > (size_t)(s->end - s->at))
		len = (size_t)(s->end - s->at);
	if (len > SCRIPT_FRAME_MAX)
		len = SCRIPT_FRAME_MAX;
	if (len < ETHERNET)
		return false;
	ret->kind = SCRIPT_PACKET;
	ret->ingress = op & SCRIPT_STACK;
	ret->vlan = (op & SCRIPT_UPLINK) && (op & SCRIPT_OWN);
	ret->ifindex = who_ifindex(device);
	ret->ingress_ifindex = !ret->ingress ? ret->ifindex : 0;
	if (ret->ingress && op & SCRIPT_UPLINK)
		ret->ingress_ifindex = who_ifindex(UPLINK);
	else if (ret->ingress && op & SCRIPT_OWN)
		ret->ingress_ifindex = who_ifindex(A);
	ret->bytes = s->at;
	ret->len = len;
	s->at += len;
	return true;
}

bool script_next(struct script *s, struct script_step *ret)
{
	uint8_t op;

	memset(ret, 0, sizeof(*ret));
	if (s->at >= s->end)
		return false;
	op = *s->at++;
	if (!(op & SCRIPT_CHANGE))
		return packet_next(s, op, ret);
	ret->kind = (enum script_kind)((op & 0x7f) % SCRIPT_CHANGES);
	ret->value = s->at < s->end ? *s->at++ : 0;
	ret->who = (enum who)(1 + ret->value % (UPLINK - 1));
	return true;
}
