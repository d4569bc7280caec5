-- The extension can be installed, its library loads, and both are of the same version.
CREATE EXTENSION sluice;
SELECT extname, extversion, n.nspname AS schema, extrelocatable
FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace WHERE extname = 'sluice';
LOAD 'sluice';
SHOW shared_preload_libraries;
