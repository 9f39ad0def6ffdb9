-- Seconds until a delivery is due; null when none is pending.
-- -> seconds
select extract(epoch from min(next_attempt_at) - now())::double precision as seconds
from webhook_deliveries
where status = 'pending'
