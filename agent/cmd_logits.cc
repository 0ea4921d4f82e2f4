#include "agent/commands.h"
#include "agent/engine_options.h"
#include "agent/error.h"
#include "agent/npy.h"

namespace dsv4::agent {

int cmd_logits(const std::vector<std::string>& arguments) {
  namespace po = boost::program_options;
  po::options_description options = engine_options();
  options.add_options()("out", po::value<std::string>(),
                        "file to write: .npy, float32 [tokens, vocab], logits after every id");
  po::variables_map given;
  if (!parse_engine_options("logits", arguments, options, given)) return kPassed;
  const EngineRequest request = read_engine_request("logits", given);
  if (given.count("out") == 0) throw UsageError("logits: --out is missing");

  const auto model = llm::Model::open(request.model, request.device);
  check_ids("logits", request.ids, *model);
  kernels::ThreadPool pool(request.threads);
  llm::Session session(model, pool, request.session);
  NpyWriter out(given["out"].as<std::string>(), static_cast<int64_t>(request.ids.size()),
                model->config().vocab_size);
  session.append_each(request.ids,
                      [&](int64_t, std::span<const float> logits) { out.write_row(logits); });
  out.finish();
  return kPassed;
}

}  // namespace dsv4::agent
