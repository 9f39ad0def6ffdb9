/**
 * What a canned query must not use, because one of the engines does not have it, or has it and must not be asked for it. The
 * rules look at the text without comments and quoted parts.
 */
import type { Finding } from './analytics-header.ts'

const rules: [RegExp, string][] = [
  [/\bqualify\b/i, 'QUALIFY is not known everywhere; filter a subquery'],
  [/\bdistinct\s+on\b/i, 'DISTINCT ON is not known to Redshift; use row_number() in a subquery'],
  [/\bfilter\s*\(\s*where\b/i, 'FILTER (WHERE ...) is not known to Redshift; use CASE in the aggregate'],
  [/\blateral\b/i, 'LATERAL is not known to Redshift'],
  [/\bwindow\s+\w+\s+as\s*\(/i, 'named windows are not known to Redshift; write the window out'],
  [/\barray\s*\[|\blist_\w+\s*\(|\bunnest\s*\(/i, 'arrays are not known to Redshift'],
  [/\b(asof|positional|semi|anti)\s+join\b/i, 'this join is not known to Redshift'],
  [/\b(limit|offset)\s+:/i, 'Redshift binds no LIMIT; number the rows and compare'],
  [/\bselect\s+\*/i, 'name the columns: the header promises them'],
  [/\bexclude\s*\(|\breplace\s*\(\s*\w+\s+as\b/i, 'EXCLUDE and REPLACE are not known to Redshift'],
  [/\bgroup\s+by\s+all\b|\border\s+by\s+all\b/i, 'ALL is not known to Redshift; name the columns'],
  [
    /\bgenerate_series\s*\(|\brange\s*\(/i,
    'Redshift makes no series beside tables; list the values with UNION ALL'
  ],
  [/\bilike\s+any\b|\bsimilar\s+to\b|\bregexp_matches\s*\(/i, 'this comparison is not the same everywhere'],
  [
    /\b(read_\w+|\w+_scan|glob|parquet_\w+|sniff_csv|getenv|pragma_\w+|duckdb_\w+|pg_read_\w+|pg_ls_\w+|dblink\w*|pg_sleep|current_setting|set_config)\s*\(/i,
    'this function reads beyond the tables'
  ],
  [
    /\b(pg_catalog|information_schema|stl_\w+|stv_\w+|svl_\w+|svv_\w+|sys_\w+)\b/i,
    'the catalogue of the engine is not for queries'
  ],
  [/\bfrom\s+''/i, 'a quoted name in FROM is a file to DuckDB'],
  [
    /\b(insert|update|delete|merge|copy|unload|attach|install|load|pragma|set|call|create|drop|alter|truncate|grant|vacuum)\b/i,
    'only reading is for queries'
  ]
]

/** Every rule that the statement of a file breaks, by its line; `start` is where the statement begins in the source. */
export function checkDialect(source: string, start: number): Finding[] {
  const blank = (text: string) => text.replace(/[^\n]/g, ' ')
  const bare = source
    .slice(start)
    .replace(/--[^\n]*|\/\*[\s\S]*?\*\//g, blank)
    .replace(/'(?:[^']|'')*'/g, (text) => `''${blank(text.slice(2))}`)
    .replace(/"(?:[^"]|"")*"/g, (text) => `"q"${blank(text.slice(3))}`)
  const lineAt = (offset: number) => source.slice(0, start + offset).split('\n').length
  return rules.flatMap(([pattern, message]) => {
    const found = pattern.exec(bare)
    return found === null ? [] : [{ line: lineAt(found.index), message }]
  })
}
