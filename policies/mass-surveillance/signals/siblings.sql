-- Linked accounts created within 30 days of another and with the same mix.
SELECT entity, siblings AS value FROM links WHERE linked_accounts >= 2
