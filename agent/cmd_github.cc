#include <iomanip>
#include <iostream>

#include "agent/commands.h"
#include "agent/error.h"
#include "agent/fix_options.h"
#include "agent/github/event.h"
#include "agent/github/job.h"
#include "agent/open_model.h"
#include "agent/printable.h"
#include "agent/stop.h"

namespace dsv4::agent {
namespace {

using namespace std::chrono_literals;

void print_help() {
  std::cout
      << "usage: dsv4-agent github run       the agent's job: event, repair, results\n"
         "       dsv4-agent github publish   the other job: a draft pull request or a comment\n\n"
         "Inside GitHub Actions; action.yml is the way to use it. It reads the variables that\n"
         "every job has, GITHUB_TOKEN, and its inputs from INPUT_NAME (`-` is `_` there):\n\n";
  for (const github::InputRow& row : github::input_table()) {
    std::cout << "  " << std::left << std::setw(15) << row.name << ' ' << row.meaning << '\n';
  }
  std::cout
      << "\nexit codes: those of `fix` (0 also when the event is about something else);\n"
         "2 when the event, the actor or the patch is refused, 3 when GitHub is not reached\n";
}

http::Client make_client(std::chrono::milliseconds most) {
  http::ClientOptions options;
  options.total_timeout = most;
  options.most_bytes = size_t{16} << 20;
  options.proxies = http::proxy_policy_of_environment();
  return http::Client(std::move(options));
}

github::Api make_api(http::Client& client, const github::Job& job, int retries, std::ostream& log,
                     std::stop_token cancel) {
  github::ApiOptions options;
  options.url = job.api_url();
  options.token = job.token();
  options.retries.most = retries;
  options.retries.longest_asked_for = 10min;
  options.cancel = std::move(cancel);
  options.hooks.on_retry = [&log](const std::string& why, std::chrono::milliseconds wait) {
    log << printable_line(why, 300) << "; again in " << wait.count() << " ms" << std::endl;
  };
  return {[&client](const http::Request& request, std::stop_token stop) {
            return client.send(request, std::move(stop));
          },
          std::move(options)};
}

// The variable is gone from the process, as every secret is.
std::string endpoint_key(const FixArguments& arguments, const github::Environment& environment) {
  if (const auto key = environment.find(arguments.key.variable)) return *key;
  return take_key(arguments.key, arguments.options.endpoint.has_value());
}

int run_mode(const std::string& mode, const github::Job& job, std::ostream& log) {
  // The run has a time limit of its own; that of the job is the runner's.
  const Stop stop(24h);
  http::Client patient = make_client(2min);
  http::Client hasty = make_client(15s);
  github::Api api = make_api(patient, job, 6, log, stop.token());
  github::Api once = make_api(hasty, job, 0, log, stop.token());
  const github::JobTools tools{
      api, once, log, stop, [&](const FixArguments& arguments, Observer& observer) {
        return open_for_fix(arguments.options, endpoint_key(arguments, job.environment()), observer,
                            stop.token());
      }};
  return mode == "run" ? run_job(job, tools) : publish_job(job, tools);
}

// Every way to end, said once, without secrets. Results in outputs are those of the last to write.
int guarded(const std::string& mode, const github::Job& job, std::ostream& log) {
  const auto end = [&](const char* status, int code, const std::string& sentence) {
    log << "dsv4-agent: " << printable(sentence) << std::endl;
    job.output("status", status);
    job.output("exit-code", std::to_string(code));
    job.summary("dsv4-agent: " + printable_line(sentence, 500));
    return code;
  };
  try {
    return run_mode(mode, job, log);
  } catch (const github::NotForUs& why) {
    return end("skipped", kPassed, std::string("nothing to do: ") + why.what());
  } catch (const github::Refused& why) {
    return end("refused", kUsage, why.what());
  } catch (const http::Error& error) {
    return end("failed", kEngine, std::string("GitHub is not reached: ") + error.what());
  } catch (const std::exception& error) {
    return end("failed", kUsage, error.what());
  }
}

}  // namespace

int cmd_github(const std::vector<std::string>& arguments) {
  const std::string mode = arguments.size() == 1 ? arguments[0] : "";
  if (mode == "--help") {
    print_help();
    return 0;
  }
  if (mode != "run" && mode != "publish") {
    throw UsageError("say which job this is: dsv4-agent github run, or dsv4-agent github publish");
  }
  github::Surroundings surroundings = github::take_environment();
  const github::Job job(std::move(surroundings.environment), std::move(surroundings.secrets));
  github::LogBuffer out(*std::cout.rdbuf(), job.secrets());
  std::ostream log(&out);
  return guarded(mode, job, log);
}

}  // namespace dsv4::agent
