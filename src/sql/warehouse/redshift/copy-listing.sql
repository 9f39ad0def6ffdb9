-- :'from' :'role' :'region' -> nothing
copy load_listing (object_no, kind, url, etag, bytes)
from :'from'
iam_role :'role'
region :'region'
json 'auto'
compupdate off
statupdate off
