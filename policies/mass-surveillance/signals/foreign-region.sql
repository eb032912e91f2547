-- Share of the stored bytes outside the regions that the customer calls home.
SELECT f.entity, f.foreign_stored_permille AS value
FROM facts f JOIN workload w USING (entity)
WHERE w.byte_calls_per_hour >= 20
