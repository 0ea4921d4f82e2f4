#include "agent/run_saver.h"

#include <utility>

#include "agent/working_copy.h"
#include "tools/bytes_json.h"

namespace dsv4::agent {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

class RunSaver::Attempt : public AttemptSaver {
 public:
  Attempt(RunSaver& run, int number, const llm::Usage& shared, llm::Conversation& conversation,
          tools::Toolbox& toolbox)
      : run_(run),
        number_(number),
        shared_(shared),
        directory_(computed_directory(run.directory_, number)),
        conversation_(conversation),
        toolbox_(toolbox) {}

  void between_turns(const LoopState& state) override {
    run_.guarded([&] {
      ordered_json event = {{"attempt", number_},
                            {"loop", to_json(state)},
                            {"tools", toolbox_.save()},
                            {"conversation", conversation_.save(directory_)},
                            {"shared", shared_}};
      run_.add_shared(event);
      run_.record_.event("turn_saved", event);
    });
  }

  void computed() override {
    run_.guarded([&] {
      run_.record_.event("computed",
                         {{"attempt", number_}, {"conversation", conversation_.save(directory_)}});
    });
  }

 private:
  RunSaver& run_;
  int number_;
  llm::Usage shared_;
  fs::path directory_;
  llm::Conversation& conversation_;
  tools::Toolbox& toolbox_;
};

RunSaver::RunSaver(RunRecord& record, fs::path directory, Shared shared, Observer& told)
    : record_(record), directory_(std::move(directory)), shared_(std::move(shared)), told_(told) {}

fs::path RunSaver::computed_directory(const fs::path& run, int attempt) {
  return run / "kv" / std::to_string(attempt);
}

void RunSaver::guarded(const std::function<void()>& work) {
  const std::lock_guard lock(mutex_);
  if (broken_) return;
  try {
    work();
  } catch (const std::exception& error) {
    broken_ = true;
    told_.on_note("the run could not be resumed from here on: " + std::string(error.what()));
  }
}

void RunSaver::add_shared(ordered_json& event) {
  const std::vector<std::string> failed = shared_.failed->after(failed_saved_);
  if (!failed.empty()) {
    ordered_json trees = ordered_json::array();
    for (const std::string& tree : failed) trees.push_back(tools::bytes_to_json(tree));
    event["failed"] = trees;
    failed_saved_ += failed.size();
  }
  if (shared_.spent->failures() != spent_saved_) {
    spent_saved_ = shared_.spent->failures();
    event["spent"] = spent_saved_;
  }
}

void RunSaver::root(llm::Conversation& root) {
  guarded([&] {
    ordered_json saved = root.save(computed_directory(directory_, 0));
    if (saved.is_null()) {
      broken_ = true;  // there would be nothing to go on from
      return;
    }
    record_.event("root", {{"conversation", std::move(saved)}});
  });
}

void RunSaver::progress(const RunProgress& progress) {
  guarded([&] {
    ordered_json event = to_json(progress);
    add_shared(event);
    record_.event("progress", event);
    for (int number = ended_ + 1; number <= progress.attempts; ++number) {
      remove_tree(computed_directory(directory_, number));
    }
    ended_ = progress.attempts;
  });
}

std::unique_ptr<AttemptSaver> RunSaver::attempt(int number, const llm::Usage& shared,
                                                llm::Conversation& conversation,
                                                tools::Toolbox& toolbox) {
  return std::make_unique<Attempt>(*this, number, shared, conversation, toolbox);
}

void RunSaver::resumed(int number, size_t turns, int64_t reprefilled) {
  ordered_json event = {{"attempt", nullptr}, {"turns", turns}, {"reprefilled", reprefilled}};
  if (number > 0) event["attempt"] = number;
  record_.event("resumed", event);
}

void RunSaver::shared_is_saved() {
  failed_saved_ = shared_.failed->after(0).size();
  spent_saved_ = shared_.spent->failures();
}

}  // namespace dsv4::agent
