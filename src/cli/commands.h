/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_CLI_COMMANDS_H
#define KILIM_CLI_COMMANDS_H
/* The rows of the table of commands; the file of a command's noun defines it. */
struct cli_command;

extern const struct cli_command status_command;
extern const struct cli_command endpoint_list_command;
extern const struct cli_command endpoint_get_command;
extern const struct cli_command endpoint_add_command;
extern const struct cli_command endpoint_delete_command;
extern const struct cli_command identity_list_command;
extern const struct cli_command policy_apply_command;
extern const struct cli_command policy_delete_command;
extern const struct cli_command policy_list_command;
extern const struct cli_command policy_get_command;
extern const struct cli_command policy_promote_command;
extern const struct cli_command policy_diff_command;
extern const struct cli_command policy_wait_command;
extern const struct cli_command policy_history_command;
extern const struct cli_command policy_rollback_command;
extern const struct cli_command policy_release_command;
extern const struct cli_command policy_confirm_command;
extern const struct cli_command policy_test_command;
extern const struct cli_command policy_validate_command;
extern const struct cli_command policy_matrix_command;
extern const struct cli_command policy_explain_command;
extern const struct cli_command policy_invariants_command;
extern const struct cli_command observe_command;
extern const struct cli_command flow_list_command;
extern const struct cli_command monitor_command;
extern const struct cli_command metrics_command;
extern const struct cli_command metrics_list_command;
extern const struct cli_command map_list_command;
extern const struct cli_command uninstall_command;
extern const struct cli_command completion_command;
extern const struct cli_command version_command;

#endif
