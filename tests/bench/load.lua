-- Sends the lines of the file named by LOAD (query, tab, body), each once, shared between the threads of wrk.
local threads = 0

function setup(thread)
  thread:set("part", threads)
  threads = threads + 1
end

function init(args)
  requests, at = {}, 0
  local n = 0
  for line in io.lines(os.getenv("LOAD")) do
    if n % 2 == part then
      local tab = line:find("\t", 1, true)
      local path = wrk.path .. "?" .. line:sub(1, tab - 1)
      requests[#requests + 1] = wrk.format("POST", path, { ["Content-Type"] = "text/xml" }, line:sub(tab + 1))
    end
    n = n + 1
  end
end

function request()
  at = at + 1
  if at >= #requests then
    wrk.thread:stop()
  end
  return requests[at] or requests[#requests]
end

function done(summary, latency, requests)
  local errors = summary.errors
  local bad = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format(
    'FIGURES {"rate": %.1f, "p50": %.3f, "p99": %.3f, "requests": %d, "errors": %d}\n',
    summary.requests / (summary.duration / 1e6), latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    summary.requests, bad))
end
