/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_TEST_BPF_PACKET_H
#define KILIM_TEST_BPF_PACKET_H
/* Builds frames for the data path's tests: well-formed unless the description says how not. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/addr.h"

enum {
	PACKET_ROOM = 4096,
	PACKET_EXTENSIONS = 10,
	PACKET_TTL_ZERO = -1,
	TCP_FIN = 0x01,
	TCP_SYN = 0x02,
	TCP_RST = 0x04,
	TCP_PSH = 0x08,
	TCP_ACK = 0x10,
};

/* One IPv6 extension header. */
struct packet_extension {
	uint8_t type; /* its own number */
	uint8_t length; /* its length field */
	uint8_t byte2; /* third byte: the type of a routing header */
};

/* What a frame looks like. Zero is the usual: one whole, valid packet without payload. */
struct packet_spec {
	uint8_t family; /* 4, 6; 0: what follows the Ethernet header is payload */
	uint8_t protocol;
	struct addr source, destination;
	uint8_t smac[6], dmac[6];
	uint16_t ethertype; /* 0: that of the family */
	int16_t ttl; /* 0: 64 */
	uint16_t source_port, destination_port;
	uint8_t tcp_flags;
	uint8_t tcp_words; /* data offset; 0: 5 */
	uint8_t icmp_type, icmp_code;
	uint16_t icmp_id; /* echo messages */
	bool has_target; /* neighbour solicitation or advertisement */
	struct addr target;
	const struct packet_spec *inner; /* ICMP errors: what they are about */
	uint16_t inner_len; /* bytes of it; 0: all */
	uint8_t options_len; /* IPv4: this many bytes of no-operation options, a multiple of 4 */
	uint8_t extensions;
	struct packet_extension extension[PACKET_EXTENSIONS];
	bool fragmented;
	bool more; /* not the last fragment */
	uint16_t offset; /* bytes; not 0: no L4 header */
	uint32_t fragment_id;
	uint16_t payload; /* bytes behind the L4 header */
	uint8_t l4_len; /* protocols without a header here: bytes in front of the payload */
	int16_t length_delta; /* makes the length field lie */
	int16_t udp_delta; /* the same for UDP's */
	uint8_t version, ihl; /* 0: right */
	uint16_t cut; /* bytes missing at the end */
	uint16_t pad; /* bytes behind the datagram, as on short frames */
};

/* Write the frame to bytes[PACKET_ROOM]; returns its length. */
size_t packet_build(const struct packet_spec *s, uint8_t *bytes);
/* Internet checksum over len bytes, from sum on; in network byte order. */
uint16_t packet_checksum(const void *bytes, size_t len, uint32_t sum);
/* Make the checksum of a frame right that holds ICMPv6 without extension headers. */
void packet_icmp6_sum(uint8_t *frame, size_t len);

#endif
