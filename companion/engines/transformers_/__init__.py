"""Any local causal language model with a chat template, by one setting: a folder or a hub id."""
