/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_DATAPATH_NUMBER_H
#define KILIM_DATAPATH_NUMBER_H
/* Numbers from 1 on, the lowest free one first. {0}: all are free. */
#include <stddef.h>
#include <stdint.h>

struct numbers {
	char *used;
	size_t room;
	uint32_t low; /* all below are used */
};

uint32_t number_take(struct numbers *t);
/* It may be taken already. */
void number_claim(struct numbers *t, uint32_t number);
void number_give(struct numbers *t, uint32_t number);
void numbers_done(struct numbers *t);

#endif
