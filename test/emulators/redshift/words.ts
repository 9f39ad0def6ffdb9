/** The words and functions of Redshift's dialect, from the Developer Guide. */

const list = (text: string) => new Set(text.trim().split(/\s+/))

/** Words that cannot be a bare name. Those that PostgreSQL reserves as well are refused by PostgreSQL itself. */
export const reservedWords = list(`
  aes128 aes256 all allowoverwrite analyse analyze and any array as asc authorization az64 backup between binary
  blanksasnull both bytedict bzip2 case cast check collate column constraint create credentials cross current_date
  current_time current_timestamp current_user current_user_id default deferrable deflate defrag delta delta32k desc
  disable distinct do else emptyasnull enable encode encrypt encryption end except explicit false for foreign freeze
  from full globaldict256 globaldict64k grant group gzip having identity ignore ilike in initially inner intersect
  interval into is isnull join leading left like limit localtime localtimestamp lun luns lzo lzop minus mostly16
  mostly32 mostly8 natural new not notnull null nulls off offline offset oid old on only open or order outer overlaps
  parallel partition percent permissions pivot placing primary raw readratio recover references rejectlog resort
  respect restore right select session_user similar snapshot some sysdate system table tag tdes text255 text32k then
  timestamp to top trailing true truncatecolumns union unique unnest unpivot user using verbose wallet when where with
  without`)

/** Of the reserved words those that PostgreSQL takes for a name, and Redshift has no other use for in a query. */
export const refusedNames = list(`
  aes128 aes256 allowoverwrite az64 backup blanksasnull bytedict bzip2 credentials defrag deflate delta delta32k
  disable emptyasnull enable encode encrypt encryption explicit globaldict256 globaldict64k gzip identity lun luns lzo
  lzop mostly16 mostly32 mostly8 new off offline old open parallel percent permissions pivot raw readratio recover
  rejectlog resort restore snapshot system tag tdes text255 text32k truncatecolumns unpivot wallet`)

/** What Redshift has and the backend can answer. Everything else is refused, so that no function of a newer
 * PostgreSQL slips through. */
export const functions = list(`
  abs acos add_months any_value ascii asin atan atan2 avg bit_and bit_or bool_and bool_or btrim cast cbrt ceil ceiling
  char_length character_length charindex chr coalesce concat cos cot count cume_dist current_database current_setting
  date_part date_part_year date_trunc dateadd datediff date_add date_diff degrees dense_rank exp extract first_value
  floor format_type getdate greatest initcap lag last_day last_value lead least left len length ln lower lpad ltrim max
  md5 min mod nth_value ntile nullif nvl nvl2 obj_description octet_length percent_rank percentile_cont
  percentile_disc pg_backend_pid pg_cancel_backend pg_get_expr pg_get_userbyid pg_last_copy_count pg_last_copy_id
  pg_table_is_visible pg_terminate_backend pi position pow power quote_ident quote_literal radians random rank
  regexp_count regexp_instr regexp_replace regexp_substr repeat replace reverse right round row_number rpad rtrim sha2
  sign sin split_part sqrt stddev stddev_pop stddev_samp strpos strtol substring sum tan textlen to_char to_date
  to_number to_timestamp translate trim trunc upper var_pop var_samp variance version`)

/** Answered by the leader node alone: an error as soon as a table of compute nodes is in the query. */
export const leaderFunctions = list(`
  substr factorial log generate_series now age current_schema current_schemas has_database_privilege
  has_schema_privilege has_table_privilege has_assumerole_privilege`)

/** The same, of those that are written without parentheses. */
export const leaderValues = list('current_timestamp current_time localtime localtimestamp current_schema')

/** What Redshift has and this emulator has not. */
export const functionsNotEmulated = list(`
  array array_concat array_flatten checksum cosh convert_timezone crc32 date_cmp decode difference
  dexp dlog1 dlog10 farmfingerprint64 fnv_hash func_sha1 get_array_length hll interval_cmp is_valid_json
  is_valid_json_array json_array_length json_extract_array_element_text json_extract_path_text json_parse
  json_serialize listagg median months_between next_day object octetindex pg_last_query_id pg_last_unload_count
  ratio_to_report replicate sha sha1 soundex split_to_array subarray timeofday timestamp_cmp timezone to_hex to_varbyte`)

/** Words that stand before a parenthesis without being a function. */
export const notFunctions = list(`
  all and any as between by case check conflict default distinct else encode except exists filter foreign from group
  having in insert intersect into is join key like limit minus not null offset on or order over partition primary
  references returning select set similar some table then to union unique update using values when where with within
  bit char character nchar nvarchar varchar varying decimal numeric float interval time timestamp timestamptz timetz`)

/** Functions that make a window when OVER follows and that aggregate over it. */
export const frameFunctions = list(`
  avg bit_and bit_or bool_and bool_or count first_value last_value max min nth_value stddev stddev_pop stddev_samp sum
  var_pop var_samp variance`)

/** Operators of Redshift; those of PostgreSQL for JSON, arrays, ranges and text search are not among them. */
export const operators = list('+ - * / % ^ |/ ||/ @ & | # << >> || < > = <= >= <> != ~ !~ :: ( ) , ; . [ ] :')

/** The spellings of a date part, and what PostgreSQL calls it. */
export const dateParts: Readonly<Record<string, string>> = {
  ...spellings('millennium', 'mil mils millennia'),
  ...spellings('century', 'c cent cents centuries'),
  ...spellings('decade', 'dec decs decades'),
  ...spellings('epoch', ''),
  ...spellings('year', 'y yr yrs years'),
  ...spellings('quarter', 'qtr qtrs quarters'),
  ...spellings('month', 'mon mons months'),
  ...spellings('week', 'w weeks'),
  ...spellings('dow', 'dayofweek dw weekday'),
  ...spellings('doy', 'dayofyear dy yearday'),
  ...spellings('day', 'd days'),
  ...spellings('hour', 'h hr hrs hours'),
  ...spellings('minute', 'm min mins minutes'),
  ...spellings('second', 's sec secs seconds'),
  ...spellings('milliseconds', 'ms msec msecs msecond mseconds millisecond millisec millisecs'),
  ...spellings('microseconds', 'us usec usecs usecond useconds microsecond microsec microsecs')
}

function spellings(name: string, others: string): Record<string, string> {
  return Object.fromEntries([name, ...others.split(' ').filter(Boolean)].map((word) => [word, name]))
}
