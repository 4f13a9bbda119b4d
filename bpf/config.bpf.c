/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The configuration of the data path, written by the loader before the programs are loaded, so that
 * the verifier prunes what is off. First in the object's list of units: bpftool's linker wants
 * definitions before their users (see bpf/meson.build).
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "abi/config.h"

const volatile struct dp_config config = {};

char LICENSE[] SEC("license") = "Dual BSD/GPL";
