/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_API_STREAM_H
#define KILIM_API_STREAM_H
/* The server's side of api_stream: a response of libmicrohttpd that is suspended while there is
 * nothing to send. */
#include <microhttpd.h>

#include "api/server.h"

/* The streams that are being sent by one server. */
struct stream_list {
	struct api_stream *head;
	int kick; /* an eventfd that is raised when libmicrohttpd has to look at a stream again */
};

/* Send s on the connection; MHD_NO (and the stream is gone) when that fails. s wakes up when the
 * client goes away. */
enum MHD_Result stream_start(struct api_stream *s, struct MHD_Connection *connection,
	unsigned status, bool local, struct loop *l, struct stream_list *list);
/* For a stream that is not sent after all: calls done. */
void stream_free(void *s);
/* Break off all streams; libmicrohttpd does it at its next turn. */
void stream_end_all(struct stream_list *list);

#endif
