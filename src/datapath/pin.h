/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_DATAPATH_PIN_H
#define KILIM_DATAPATH_PIN_H
/* The pins below BPF-ROOT/kilim: map/, prog/, link/. Replacing one is a rename, so there is always
 * the old or the new. */
#include <limits.h>
#include <stdbool.h>

#include "base/err.h"
#include "base/mem.h"

enum { PIN_ROOT = 256, PIN_PATH = 384 };

struct pins {
	char root[PIN_ROOT]; /* BPF-ROOT/kilim */
};

/* What a pin waits under until it takes its place, for pin_settle() (bpffs allows no dots in
 * names). */
#define PIN_NEW "-new"

/* Mount a bpffs at the directory unless it is in one, and make the folders. */
int pins_open(const char *bpf_root, struct pins *ret, struct err *e) MUST_USE;
/* As pins_open(), but nothing is made: -ENOENT when there are no pins. */
int pins_find(const char *bpf_root, struct pins *ret) MUST_USE;
/* Keep other processes out as long as the descriptor is open. -EBUSY. */
int pins_lock(const struct pins *p, int *ret_fd, struct err *e) MUST_USE;
/* A descriptor of the pinned object, or -errno (-ENOENT: no such pin). */
int pin_get(const struct pins *p, const char *folder, const char *name);
/* Pin, in the place of what was there (name and suffix are put together). */
int pin_put(const struct pins *p, const char *folder, const char *name, const char *suffix, int fd,
	struct err *e) MUST_USE;
/* NAME-new becomes NAME. */
int pin_settle(const struct pins *p, const char *folder, const char *name, struct err *e) MUST_USE;
void pin_remove(const struct pins *p, const char *folder, const char *name);
/* Call fn with each name in the folder; it may remove it. */
void pin_each(const struct pins *p, const char *folder,
	void (*fn)(const struct pins *p, const char *folder, const char *name, void *), void *data);
/* Remove every pin and the folders. */
int pins_remove(const struct pins *p, struct err *e) MUST_USE;
/* Take the bpffs away that pins_open() mounted, unless somebody else has pins in it. */
void pins_unmount(const char *bpf_root);

#endif
