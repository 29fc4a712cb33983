"""Pictures: from whatever a user gives to bytes that are safe to deliver."""
