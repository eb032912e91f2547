-- What wrk's own report leaves out.
done = function(summary, latency, requests)
  for _, part in ipairs({ 50, 99, 99.9 }) do
    io.write(string.format("p%s %d us\n", part, latency:percentile(part)))
  end
  io.write(string.format("%.0f requests a second\n", summary.requests / summary.duration * 1e6))
end
