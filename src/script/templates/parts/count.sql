SELECT count(*) FROM here WHERE relkind = 'r' AND relpersistence = 'p';
