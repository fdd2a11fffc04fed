-- KEYS[1] root
-- ARGV    id
-- reply   1 if the job exists
-- keeps   marks that the result backend knows the outcome, so that later deliveries leave without a word
if not field(ARGV[1], 'state') then return 0 end
redis.call('HSET', job_key(ARGV[1]), 'told', 1)
return 1
