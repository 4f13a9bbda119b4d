/* SPDX-License-Identifier: Apache-2.0 */
/* What the objects that policies refer to become; fields that say nothing about policy are passed
 * over. */
#include "fixture.h"

static const char objects[] =
	"apiVersion: v1\nkind: Namespace\n"
	"metadata: {name: shop, labels: {b: '2', a: '1'}, whatever: 7}\n"
	"spec: {finalizers: [kubernetes]}\nstatus: {phase: Active}\n"
	"---\napiVersion: v1\nkind: Node\nmetadata: {name: n1.example, labels: {zone: a}}\n"
	"spec: {podCIDRs: [10.0.0.0/24]}\n"
	"status:\n  addresses:\n  - {type: InternalIP, address: 172.30.0.11}\n"
	"  - {type: ExternalIP, address: 'fd30::11'}\n  - {type: Hostname, address: n1}\n"
	"---\napiVersion: cilium.io/v2\nkind: CiliumNode\nmetadata: {name: n2}\n"
	"spec:\n  addresses:\n  - {type: InternalIP, ip: 172.30.0.12}\n"
	"  - {type: CiliumInternalIP, ip: 10.0.1.1}\n  - {type: Other, ip: x}\n"
	"---\napiVersion: cilium.io/v2alpha1\nkind: CiliumCIDRGroup\n"
	"metadata: {name: g, labels: {extgrp.cilium.io/x: y}}\n"
	"spec: {externalCIDRs: [10.0.0.0/8, 'fd00::/8']}\n"
	"---\napiVersion: cilium.io/v2\nkind: CiliumCIDRGroup\nmetadata: {name: none}\n"
	"spec: {externalCIDRs: []}\n";

static const char services[] =
	"apiVersion: v1\nkind: Service\nmetadata: {name: a, namespace: shop, labels: {l: m}}\n"
	"spec: {selector: {app: web, tier: x}, ports: [{port: 80}], clusterIP: 10.96.0.1}\n"
	"---\napiVersion: v1\nkind: Service\nmetadata: {name: b}\nspec: {ports: []}\n"
	"---\napiVersion: v1\nkind: Service\nmetadata: {name: c}\n"
	"spec: {type: ExternalName, externalName: x.y, selector: {a: b}}\n"
	"---\napiVersion: v1\nkind: Endpoints\nmetadata: {name: b, labels: {not: this}}\n"
	"subsets:\n- addresses: [{ip: 10.0.0.1}, {ip: 'fd00::1', nodeName: n}]\n"
	"  notReadyAddresses: [{ip: 10.0.0.9}]\n- {ports: []}\n"
	"---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n"
	"metadata: {name: b-x7, labels: {kubernetes.io/service-name: b}}\naddressType: IPv4\n"
	"endpoints:\n- {addresses: [10.0.0.2]}\n"
	"- {addresses: [10.0.0.3], conditions: {ready: false}}\n"
	"- {addresses: [10.0.0.4], conditions: {ready: null}}\n"
	"---\napiVersion: discovery.k8s.io/v1beta1\nkind: EndpointSlice\n"
	"metadata: {name: of-no-service}\naddressType: IPv4\nendpoints: [{addresses: [10.0.0.2]}]\n"
	"---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n"
	"metadata: {name: names, labels: {kubernetes.io/service-name: b}}\naddressType: FQDN\n"
	"endpoints: [{addresses: [x.y]}]\n";

static void check_addresses(const struct addr *addr, size_t count, const char *want)
{
	struct str text = {0};
	char one[ADDR_TEXT];

	for (size_t i = 0; i < count; i++)
		str_printf(&text, "%s%s", i ? " " : "", addr_format(&addr[i], one));
	assert_string_equal(str_text(&text), want);
	str_done(&text);
}

static void check_label(const struct labels *l, size_t i, const char *want)
{
	struct str text = {0};

	assert_true(i < l->count);
	label_format(&text, &l->label[i]);
	assert_string_equal(str_text(&text), want);
	str_done(&text);
}

static void test_objects(void **state)
{
	struct reading r = {0};
	const struct policy_set *s = &r.set;
	char text[ADDR_TEXT];

	(void)state;
	reading_need(&r, &plain_context, objects);
	assert_int_equal(s->count, 0);
	assert_int_equal(s->namespaces, 1);
	assert_string_equal(s->namespace[0].name, "shop");
	assert_int_equal(s->namespace[0].origin.line, 1);
	check_label(&s->namespace[0].labels, 0, "k8s:a=1");
	check_label(&s->namespace[0].labels, 1, "k8s:b=2");
	assert_int_equal(s->nodes, 2);
	assert_string_equal(s->node[0].name, "n1.example");
	check_label(&s->node[0].labels, 0, "node:zone=a");
	check_addresses(s->node[0].addr, s->node[0].addrs, "172.30.0.11 fd30::11");
	check_addresses(s->node[1].addr, s->node[1].addrs, "172.30.0.12 10.0.1.1");
	assert_int_equal(s->groups, 2);
	assert_string_equal(s->group[0].name, "g");
	check_label(&s->group[0].labels, 0, "cidrgroup:extgrp.cilium.io/x=y");
	assert_int_equal(s->group[0].prefixes, 2);
	assert_string_equal(prefix_format(&s->group[0].prefix[0], text), "10.0.0.0/8");
	assert_int_equal(s->group[1].prefixes, 0);
	reading_done(&r);
}

static void test_services(void **state)
{
	struct reading r = {0};
	const struct policy_service *s;
	struct str text = {0};

	(void)state;
	reading_need(&r, &plain_context, services);
	assert_int_equal(r.set.services, 5);
	s = r.set.service;
	assert_string_equal(s[0].namespace, "shop");
	assert_string_equal(s[0].name, "a");
	check_label(&s[0].labels, 0, "k8s:l=m");
	assert_true(s[0].has_selector);
	selector_format(&text, &s[0].selector);
	assert_string_equal(
		str_text(&text), "k8s:app=web,k8s:tier=x,k8s:io.kubernetes.pod.namespace=shop");
	str_done(&text);
	assert_string_equal(s[1].namespace, "default");
	assert_false(s[1].has_selector);
	assert_false(s[2].has_selector);
	assert_string_equal(s[3].name, "b");
	assert_int_equal(s[3].labels.count, 0);
	check_addresses(s[3].backend, s[3].backends, "10.0.0.1 fd00::1");
	assert_string_equal(s[4].name, "b");
	check_addresses(s[4].backend, s[4].backends, "10.0.0.2 10.0.0.4");
	reading_done(&r);
}

/* A list that ends in a mistake leaves nothing of any kind behind, and keeps what was there. */
static void test_undo(void **state)
{
	static const char bad[] =
		"apiVersion: v1\nkind: List\nitems:\n"
		"- {apiVersion: v1, kind: Namespace, metadata: {name: x}}\n"
		"- {apiVersion: v1, kind: Node, metadata: {name: x}}\n"
		"- {apiVersion: v1, kind: Service, metadata: {name: x}}\n"
		"- {apiVersion: cilium.io/v2, kind: CiliumCIDRGroup, metadata: {name: x}, spec: "
		"{externalCIDRs: []}}\n"
		"- {apiVersion: v1, kind: Pod, metadata: 7}\n"
		"- {apiVersion: v1, kind: Node, metadata: {name: X}}\n";
	struct reading r = {0}, more = {0};

	(void)state;
	reading_need(&r, &plain_context, objects);
	more.set = r.set;
	assert_int_equal(reading_parse(&more, &plain_context, bad), -EINVAL);
	assert_non_null(strstr(more.e.text, "p.yaml:9:49: items[5].metadata.name: "));
	assert_int_equal(more.set.namespaces, 1);
	assert_int_equal(more.set.nodes, 2);
	assert_int_equal(more.set.groups, 2);
	assert_int_equal(more.set.services, 0);
	yaml_docs_done(&r.docs);
	reading_done(&more);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_objects),
		cmocka_unit_test(test_services),
		cmocka_unit_test(test_undo),
	};

	return cmocka_run_group_tests_name("object", tests, NULL, NULL);
}
