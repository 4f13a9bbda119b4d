/* SPDX-License-Identifier: Apache-2.0 */
/* Summaries of packets, with the words that Hubble's clients show. Called by flow/json. Pure. */
#include "flow/summary.h"

#include <netinet/in.h>

struct icmp_type {
	uint8_t type;
	const char *name;
	const char *const *codes; /* ends with NULL; NULL: the type has no codes */
};

static const char *const unreachable4[] = {"Net", "Host", "Protocol", "Port", "FragmentationNeeded",
	"SourceRoutingFailed", "NetUnknown", "HostUnknown", "SourceIsolated", "NetAdminProhibited",
	"HostAdminProhibited", "NetTOS", "HostTOS", "CommAdminProhibited", "HostPrecedence",
	"PrecedenceCutoff", NULL};
static const char *const redirect4[] = {"Net", "Host", "TOS+Net", "TOS+Host", NULL};
static const char *const exceeded4[] = {"TTLExceeded", "FragmentReassemblyTimeExceeded", NULL};
static const char *const problem4[] = {"PointerIndicatesError", "MissingOption", "BadLength", NULL};
static const char *const unreachable6[] = {"NoRouteToDst", "AdminProhibited", "BeyondScopeOfSrc",
	"AddressUnreachable", "PortUnreachable", "SrcAddressFailedPolicy", "RejectRouteToDst",
	NULL};
static const char *const exceeded6[] = {"HopLimitExceeded", "FragmentReassemblyTimeExceeded", NULL};
static const char *const problem6[] = {
	"ErroneousHeader", "UnrecognizedNextHeader", "UnrecognizedIPv6Option", NULL};

static const struct icmp_type types4[] = {{0, "EchoReply", NULL},
	{3, "DestinationUnreachable", unreachable4}, {4, "SourceQuench", NULL},
	{5, "Redirect", redirect4}, {8, "EchoRequest", NULL}, {9, "RouterAdvertisement", NULL},
	{10, "RouterSolicitation", NULL}, {11, "TimeExceeded", exceeded4},
	{12, "ParameterProblem", problem4}, {13, "TimestampRequest", NULL},
	{14, "TimestampReply", NULL}, {15, "InfoRequest", NULL}, {16, "InfoReply", NULL},
	{17, "AddressMaskRequest", NULL}, {18, "AddressMaskReply", NULL}, {0, NULL, NULL}};

static const struct icmp_type types6[] = {{1, "DestinationUnreachable", unreachable6},
	{2, "PacketTooBig", NULL}, {3, "TimeExceeded", exceeded6},
	{4, "ParameterProblem", problem6}, {128, "EchoRequest", NULL}, {129, "EchoReply", NULL},
	{130, "MLDv1MulticastListenerQueryMessage", NULL},
	{131, "MLDv1MulticastListenerReportMessage", NULL},
	{132, "MLDv1MulticastListenerDoneMessage", NULL}, {133, "RouterSolicitation", NULL},
	{134, "RouterAdvertisement", NULL}, {135, "NeighborSolicitation", NULL},
	{136, "NeighborAdvertisement", NULL}, {137, "Redirect", NULL},
	{143, "MLDv2MulticastListenerReportMessageV2", NULL}, {0, NULL, NULL}};

static void summarize_icmp(
	struct str *out, const struct icmp_type *types, uint8_t type, uint8_t code)
{
	const char *name = NULL;

	while (types->name && types->type != type)
		types++;
	if (!types->name) {
		str_printf(out, "%u(%u)", type, code);
		return;
	}
	str_add(out, types->name);
	if (!types->codes && !code)
		return;
	for (size_t i = 0; types->codes && types->codes[i]; i++) {
		if (i == code)
			name = types->codes[i];
	}
	if (name)
		str_printf(out, "(%s)", name);
	else
		str_printf(out, "(Code: %u)", code);
}

/* In the order in which Hubble names them. */
static void summarize_tcp(struct str *out, uint8_t flags)
{
	static const struct {
		uint8_t bit;
		const char *name;
	} names[] = {{0x02, "SYN"}, {0x10, "ACK"}, {0x04, "RST"}, {0x01, "FIN"}, {0x08, "PSH"},
		{0x20, "URG"}, {0x40, "ECE"}, {0x80, "CWR"}};
	const char *separator = "";

	str_add(out, "TCP Flags: ");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!(flags & names[i].bit))
			continue;
		str_printf(out, "%s%s", separator, names[i].name);
		separator = ", ";
	}
}

void flow_summary(struct str *out, const struct flow_record *record)
{
	switch (record->protocol) {
	case IPPROTO_TCP:
		summarize_tcp(out, record->tcp_flags);
		return;
	case IPPROTO_UDP:
		str_add(out, "UDP");
		return;
	case IPPROTO_SCTP:
		str_add(out, "SCTP");
		return;
	case IPPROTO_ICMP:
		str_add(out, "ICMPv4 ");
		summarize_icmp(out, types4, record->icmp_type, record->icmp_code);
		return;
	case IPPROTO_ICMPV6:
		str_add(out, "ICMPv6 ");
		summarize_icmp(out, types6, record->icmp_type, record->icmp_code);
		return;
	default:
		break;
	}
	str_add(out, record->family == 4 ? "IPv4" : record->family == 6 ? "IPv6" : "Ethernet");
}
