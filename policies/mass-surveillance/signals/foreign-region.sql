-- Share of the stored bytes outside the regions that the customer calls home.
SELECT entity, foreign_stored_permille AS value FROM workload WHERE byte_calls_per_hour >= 20
