-- Linked accounts whose residual intake moves together or whose mix of meters is alike.
SELECT entity, greatest(moving_together, alike) AS value FROM links WHERE linked_accounts >= 2
