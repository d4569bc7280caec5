-- A sluice job in insert mode with default options. Variables: rows.
\ir insert_target.sql
SELECT sluice.create_job('bench', 'inserts_src', 'target') AS created \gset
\ir job_run.sql
\ir result.sql
