-- Persons implied (calls a day ÷ 4) ÷ the population that is served.
SELECT w.entity, permille(times(w.calls_per_hour_mean, 6), f.population_served) AS value
FROM workload w JOIN facts f USING (entity)
WHERE w.calls_per_hour_mean >= 100
