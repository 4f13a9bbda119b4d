# SPDX-License-Identifier: Apache-2.0
"""A second implementation of doc/policy-language.md, for tests: from the documents, in another language, and as naive as can be.

It compiles nothing, groups nothing and knows no prefix tree: one question at a time is answered by reading every policy object again.
Read in this order: cluster (who is there), selector (who is meant), peer and port (does a rule fit), verdict (what is decided), scenario (files)."""
