#include <algorithm>
#include <iostream>
#include <string>

#include "agent/commands.h"
#include "agent/engine_options.h"
#include "agent/error.h"
#include "llm/error.h"
#include "llm/sampler.h"

namespace dsv4::agent {
namespace {

namespace po = boost::program_options;

constexpr int64_t kMaxIds = int64_t{1} << 20;

po::options_description all_options() {
  po::options_description options = engine_options();
  options.add_options()("n", po::value<int64_t>(), "how many ids to generate")(
      "greedy", "always the best id")("seed", po::value<int64_t>(), "seed of the draws")(
      "temperature", po::value<double>(), "default 1")("top-p", po::value<double>(), "default 1")(
      "top-k", po::value<int>(), "default 0: no limit")(
      "min-p", po::value<double>(), "default 0: off")("stop", "end after an end-of-sentence id");
  return options;
}

llm::Sampling read_sampling(const po::variables_map& given) {
  llm::Sampling s;
  if (given.count("temperature")) s.temperature = given["temperature"].as<double>();
  if (given.count("top-p")) s.top_p = given["top-p"].as<double>();
  if (given.count("top-k")) s.top_k = given["top-k"].as<int>();
  if (given.count("min-p")) s.min_p = given["min-p"].as<double>();
  if (given.count("seed")) {
    const auto seed = given["seed"].as<int64_t>();
    if (seed < 0) throw UsageError("generate: --seed must be 0 or more");
    s.seed = static_cast<uint64_t>(seed);
  }
  if (given.count("greedy")) {
    if (given.count("seed")) throw UsageError("generate: --greedy draws nothing; leave out --seed");
    s.temperature = 0.0;
  }
  return s;
}

llm::Sampler make_sampler(const llm::Sampling& sampling) {
  try {
    return llm::Sampler(sampling);
  } catch (const llm::FormatError& error) {
    throw UsageError(std::string("generate: ") + error.what());
  }
}

}  // namespace

int cmd_generate(const std::vector<std::string>& arguments) {
  po::variables_map given;
  if (!parse_engine_options("generate", arguments, all_options(), given)) return kPassed;
  const EngineRequest request = read_engine_request("generate", given);
  if (given.count("n") == 0) throw UsageError("generate: --n is missing");
  const int64_t n = given["n"].as<int64_t>();
  if (n < 0 || n > kMaxIds) {
    throw UsageError("generate: --n must be from 0 to " + std::to_string(kMaxIds));
  }
  if (request.ids.empty())
    throw UsageError("generate: the ids file is empty; give at least one id");
  llm::Sampler sampler = make_sampler(read_sampling(given));

  const auto model = llm::Model::open(request.model, request.device);
  check_ids("generate", request.ids, *model);
  kernels::ThreadPool pool(request.threads);
  llm::Session session(model, pool, request.session);
  session.append(request.ids);
  const std::vector<int64_t>& ends = model->config().eos_token_ids;
  for (int64_t i = 0; i < n; ++i) {
    const int32_t id = sampler.sample(session.logits());
    if (!(std::cout << (i == 0 ? "" : " ") << id << std::flush)) break;
    const bool end = std::find(ends.begin(), ends.end(), id) != ends.end();
    if (i + 1 == n || (end && given.count("stop"))) break;
    session.append_sampled(id);
  }
  std::cout << '\n';
  return kPassed;
}

}  // namespace dsv4::agent
