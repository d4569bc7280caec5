-- A sluice job in merge mode. Variables: rows, batch, filled.
\ir merge_target.sql
SELECT sluice.create_job('bench', 'merges_src', 'target', mode => 'merge', match_columns => '{id}',
  order_columns => '{version}', options => jsonb_build_object('max_count', :batch)) AS created \gset
\ir job_run.sql
\ir result.sql
