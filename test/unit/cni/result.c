/* SPDX-License-Identifier: Apache-2.0 */
/* Results of ADD in every version's shape, requests made of configurations, and what chaining
 * keeps. Broken input is test/cni's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/str.h"
#include "cni/cni.h"
#include "codec/json.h"

static const struct cni_env add = {
	.command = "ADD", .container_id = "c1", .netns = "/run/netns/a", .ifname = "eth0"};

static const char endpoint_text[] =
	"{\"id\":7,\"addresses\":{\"ipv4\":\"10.0.0.5\",\"ipv6\":\"fd00::5\"},\"gateway\":{"
	"\"ipv4\":\"10.0.0.1\",\"ipv6\":\"fd00::1\"},"
	"\"device\":\"kilim7\",\"mac\":\"02:00:00:00:00:01\",\"host_mac\":\"02:00:00:00:00:02\","
	"\"mtu\":1400}";

static json_t *parse(const char *text)
{
	json_t *j = NULL;
	struct err e = {0};

	assert_int_equal(json_parse_text(text, strlen(text), 1 << 20, &j, &e), 0);
	return j;
}

static void request(struct cni_request *rq, const struct cni_env *env, const char *conf)
{
	struct cni_error x = {0};

	if (cni_request_parse(env, conf, strlen(conf), rq, &x))
		fail_msg("code %d: %s %s", x.code, x.msg, x.details);
}

/* The result of an ADD with this configuration, compared with the expected object. */
static void expect_result(const char *conf, const char *endpoint, const char *want)
{
	SCOPED(cni_request_done)
	struct cni_request rq = {0};
	SCOPED(json_unrefp)
	json_t *ep = parse(endpoint);
	SCOPED(json_unrefp)
	json_t *expected = parse(want);
	SCOPED(json_unrefp)
	json_t *got = NULL;
	SCOPED(freep)
	char *text = NULL;
	struct cni_error x = {0};

	request(&rq, &add, conf);
	assert_int_equal(cni_result(&rq, ep, &got, &x), 0);
	text = json_text(got);
	if (!json_equal(got, expected))
		fail_msg("got %s", text);
}

static void test_1_1_0(void **state)
{
	(void)state;
	expect_result("{\"cniVersion\":\"1.1.0\",\"name\":\"n\"}", endpoint_text,
		"{\"cniVersion\":\"1.1.0\",\"interfaces\":[{\"name\":\"kilim7\",\"mac\":\"02:00:00:"
		"00:00:02\",\"mtu\":1400},"
		"{\"name\":\"eth0\",\"mac\":\"02:00:00:00:00:01\",\"mtu\":1400,\"sandbox\":\"/run/"
		"netns/a\"}],"
		"\"ips\":[{\"address\":\"10.0.0.5/32\",\"interface\":1,\"gateway\":\"10.0.0.1\"},"
		"{\"address\":\"fd00::5/128\",\"interface\":1,\"gateway\":\"fd00::1\"}],"
		"\"routes\":[{\"dst\":\"0.0.0.0/0\",\"gw\":\"10.0.0.1\"},{\"dst\":\"::/"
		"0\",\"gw\":\"fd00::1\"}]}");
}

/* No MTU before 1.1.0; dns of the configuration goes into the result. */
static void test_1_0_0(void **state)
{
	(void)state;
	expect_result("{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"dns\":{\"nameservers\":[\"10.0.0."
		      "10\"]}}",
		"{\"addresses\":{\"ipv4\":\"10.0.0.5\"},\"gateway\":{\"ipv4\":\"10.0.0.1\"},"
		"\"device\":\"kilim7\",\"mac\":\"m\",\"host_mac\":\"h\",\"mtu\":9}",
		"{\"cniVersion\":\"1.0.0\",\"interfaces\":[{\"name\":\"kilim7\",\"mac\":\"h\"},"
		"{\"name\":\"eth0\",\"mac\":\"m\",\"sandbox\":\"/run/netns/a\"}],"
		"\"ips\":[{\"address\":\"10.0.0.5/32\",\"interface\":1,\"gateway\":\"10.0.0.1\"}],"
		"\"routes\":[{\"dst\":\"0.0.0.0/"
		"0\",\"gw\":\"10.0.0.1\"}],\"dns\":{\"nameservers\":[\"10.0.0.10\"]}}");
}

/* Before 1.0.0 addresses say which family they are. */
static void test_0_3_1(void **state)
{
	static const char *const versions[] = {"0.3.0", "0.3.1", "0.4.0"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		SCOPED(str_done)
		struct str conf = {0}, want = {0};

		str_printf(&conf, "{\"cniVersion\":\"%s\",\"name\":\"n\"}", versions[i]);
		str_printf(&want,
			"{\"cniVersion\":\"%s\",\"interfaces\":[{\"name\":\"kilim7\",\"mac\":\"h\"}"
			","
			"{\"name\":\"eth0\",\"mac\":\"m\",\"sandbox\":\"/run/netns/a\"}],"
			"\"ips\":[{\"version\":\"6\",\"address\":\"fd00::5/"
			"128\",\"interface\":1,\"gateway\":\"fd00::1\"}],"
			"\"routes\":[{\"dst\":\"::/0\",\"gw\":\"fd00::1\"}]}",
			versions[i]);
		expect_result(str_text(&conf),
			"{\"addresses\":{\"ipv6\":\"fd00::5\"},\"gateway\":{\"ipv6\":\"fd00::1\"},"
			"\"device\":\"kilim7\",\"mac\":\"m\",\"host_mac\":\"h\"}",
			str_text(&want));
	}
}

/* The shape of the beginning: an object for each family. */
static void test_0_2_0(void **state)
{
	(void)state;
	expect_result("{\"cniVersion\":\"0.2.0\",\"name\":\"n\"}", endpoint_text,
		"{\"cniVersion\":\"0.2.0\",\"ip4\":{\"ip\":\"10.0.0.5/"
		"32\",\"gateway\":\"10.0.0.1\",\"routes\":[{\"dst\":\"0.0.0.0/"
		"0\",\"gw\":\"10.0.0.1\"}]},"
		"\"ip6\":{\"ip\":\"fd00::5/128\",\"gateway\":\"fd00::1\",\"routes\":[{\"dst\":\"::/"
		"0\",\"gw\":\"fd00::1\"}]}}");
	expect_result("{\"name\":\"n\"}", "{\"addresses\":{\"ipv4\":\"10.0.0.5\"}}",
		"{\"cniVersion\":\"0.1.0\",\"ip4\":{\"ip\":\"10.0.0.5/"
		"32\",\"routes\":[{\"dst\":\"0.0.0.0/0\"}]}}");
}

/* What an earlier plugin found stays, and our interfaces are counted behind its own. */
static void test_chained(void **state)
{
	(void)state;
	expect_result("{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"prevResult\":{\"cniVersion\":\"1."
		      "0.0\",\"interfaces\":[{\"name\":\"x0\"}],"
		      "\"ips\":[{\"address\":\"192.0.2.1/"
		      "24\",\"interface\":0}],\"routes\":[{\"dst\":\"192.0.2.0/"
		      "24\"}],\"dns\":{\"domain\":\"x\"}}}",
		"{\"addresses\":{\"ipv4\":\"10.0.0.5\"},\"gateway\":{},\"device\":\"kilim7\","
		"\"mac\":\"m\",\"host_mac\":\"h\"}",
		"{\"cniVersion\":\"1.0.0\",\"interfaces\":[{\"name\":\"x0\"},{\"name\":\"kilim7\","
		"\"mac\":\"h\"},"
		"{\"name\":\"eth0\",\"mac\":\"m\",\"sandbox\":\"/run/netns/a\"}],"
		"\"ips\":[{\"address\":\"192.0.2.1/24\",\"interface\":0},{\"address\":\"10.0.0.5/"
		"32\",\"interface\":2}],"
		"\"routes\":[{\"dst\":\"192.0.2.0/24\"},{\"dst\":\"0.0.0.0/"
		"0\"}],\"dns\":{\"domain\":\"x\"}}");
}

static void test_bad_result(void **state)
{
	SCOPED(cni_request_done)
	struct cni_request rq = {0};
	SCOPED(cni_request_done)
	struct cni_request chained = {0};
	SCOPED(json_unrefp)
	json_t *none = parse("{\"addresses\":{}}");
	SCOPED(json_unrefp)
	json_t *ep = parse(endpoint_text);
	json_t *got = NULL;
	struct cni_error x = {0};

	(void)state;
	request(&rq, &add, "{\"cniVersion\":\"1.0.0\",\"name\":\"n\"}");
	assert_int_equal(cni_result(&rq, none, &got, &x), CNI_AGENT);
	request(&chained, &add,
		"{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"prevResult\":{\"ips\":{}}}");
	assert_int_equal(cni_result(&chained, ep, &got, &x), CNI_CONFIG);
	assert_null(got);
}

static void test_endpoint_request(void **state)
{
	struct cni_env env = add;
	SCOPED(cni_request_done)
	struct cni_request rq = {0};
	SCOPED(json_unrefp)
	json_t *body = NULL;
	SCOPED(json_unrefp)
	json_t *want = parse("{\"name\":\"web-0\",\"namespace\":\"shop\",\"netns\":\"/run/netns/"
			     "a\",\"ifname\":\"eth0\",\"container_id\":\"c1\",\"source\":\"cni\","
			     "\"labels\":[\"k8s:app=web\",\"container:tier=\"],\"mtu\":1400,"
			     "\"address4\":\"10.0.0.9\",\"address6\":\"fd00::9\"}");
	SCOPED(freep)
	char *text = NULL;
	struct cni_error x = {0};

	(void)state;
	env.args = "IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web-0;K8S_POD_UID=;X=a=b";
	request(&rq, &env,
		"{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"mtu\":1400,\"runtimeConfig\":{\"ips\":["
		"\"10.0.0.9/24\",\"fd00::9\"]},"
		"\"args\":{\"cni\":{\"labels\":[{\"key\":\"app\",\"value\":\"web\"},{\"key\":"
		"\"container:tier\"}]}}}");
	assert_int_equal(cni_endpoint_request(&rq, &body, &x), 0);
	text = json_text(body);
	if (!json_equal(body, want))
		fail_msg("got %s", text);
}

/* Without Kubernetes the container is the name. */
static void test_plain_request(void **state)
{
	SCOPED(cni_request_done)
	struct cni_request rq = {0};
	SCOPED(json_unrefp)
	json_t *body = NULL;
	struct cni_error x = {0};

	(void)state;
	request(&rq, &add, "{\"cniVersion\":\"0.4.0\",\"name\":\"n\",\"args\":null}");
	assert_int_equal(cni_endpoint_request(&rq, &body, &x), 0);
	assert_string_equal(json_string_value(json_object_get(body, "name")), "c1");
	assert_null(json_object_get(body, "namespace"));
	assert_null(json_object_get(body, "mtu"));
	assert_string_equal(rq.run_dir, "/run/kilim");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_1_1_0),
		cmocka_unit_test(test_1_0_0),
		cmocka_unit_test(test_0_3_1),
		cmocka_unit_test(test_0_2_0),
		cmocka_unit_test(test_chained),
		cmocka_unit_test(test_bad_result),
		cmocka_unit_test(test_endpoint_request),
		cmocka_unit_test(test_plain_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
