-- AI use of this week ÷ of the week three weeks ago, where there is an intake that looks like calls.
SELECT entity, ai_growth_permille AS value FROM workload WHERE calls_per_hour_mean >= 100
