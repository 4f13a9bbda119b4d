/* SPDX-License-Identifier: Apache-2.0 */
/* The commands of kilim, in the order in which help lists them. Each is defined in the file of its
 * noun. */
#include "cli/cli.h"
#include "cli/commands.h"

const struct cli_command *const cli_commands[] = {
	&status_command,
	&endpoint_list_command,
	&endpoint_get_command,
	&endpoint_add_command,
	&endpoint_delete_command,
	&identity_list_command,
	&policy_apply_command,
	&policy_delete_command,
	&policy_list_command,
	&policy_get_command,
	&policy_confirm_command,
	&policy_diff_command,
	&policy_wait_command,
	&policy_history_command,
	&policy_rollback_command,
	&policy_release_command,
	&policy_promote_command,
	&policy_validate_command,
	&policy_test_command,
	&policy_matrix_command,
	&policy_explain_command,
	&policy_invariants_command,
	&observe_command,
	&flow_list_command,
	&monitor_command,
	&metrics_command,
	&metrics_list_command,
	&map_list_command,
	&uninstall_command,
	&completion_command,
	&version_command,
	NULL,
};
