"""What answers when no written flow and no skill does. One interface (`base`), several engines behind it."""
