/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_TEST_TOOL_SOCK_H
#define KILIM_TEST_TOOL_SOCK_H
/* Sockets for the load programs. Failures end the program with a message: these are tests, nobody
 * recovers. */
#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>

union sock_addr {
	struct sockaddr any;
	struct sockaddr_in in4;
	struct sockaddr_in6 in6;
};

/* A numeric address and port; NULL or "*" is the IPv6 wildcard, which takes IPv4 too. */
void sock_addr_parse(const char *text, unsigned port, union sock_addr *ret);
socklen_t sock_addr_len(const union sock_addr *a);
void sock_addr_set_port(union sock_addr *a, unsigned port);
/* A socket of the address's family; type is SOCK_STREAM or SOCK_DGRAM with flags. */
int sock_open(const union sock_addr *a, int type);
/* Bound with SO_REUSEADDR; TCP ones also listen. */
int sock_bind(const union sock_addr *a, int type);
/* Blocking connect; ends the program when it fails. */
int sock_connect(const union sock_addr *a, int type);
/* Room for many datagrams, beyond the limit of rmem_max. */
void sock_big_buffers(int fd);
void sock_no_delay(int fd);
/* Give up receiving and sending after so many milliseconds. */
void sock_timeout(int fd, unsigned ms);
/* Run on this core only; negative: anywhere. */
void sock_pin(int core);
/* Enter the network namespace at path; NULL or "": stay. Returns a descriptor of the one that was
 * left. */
int sock_enter(const char *path);
void sock_return(int netns_fd);
uint64_t sock_now_ns(void);

#endif
