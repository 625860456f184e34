"""The desk: who holds a conversation, who shall have it next, and what a person at the desk may do with it."""
