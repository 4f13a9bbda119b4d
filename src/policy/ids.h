/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_POLICY_IDS_H
#define KILIM_POLICY_IDS_H
/* A set of identity numbers as a sorted array: small, since most selectors mean few identities.
 * {0} is the empty set. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ids {
	uint32_t *id;
	size_t count, room;
};

void ids_done(struct ids *s);
/* Index of the first number that is not below id. */
size_t ids_position(const struct ids *s, uint32_t id);
bool ids_has(const struct ids *s, uint32_t id);
/* Whether the number was not there before. */
bool ids_add(struct ids *s, uint32_t id);
/* Add a number that is not below any other one. */
void ids_append(struct ids *s, uint32_t id);
/* Whether the number was there. */
bool ids_remove(struct ids *s, uint32_t id);
/* s becomes the union of both. */
void ids_unite(struct ids *s, const struct ids *other);

#endif
