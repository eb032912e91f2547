SELECT entity, bytes_per_object AS value FROM workload
