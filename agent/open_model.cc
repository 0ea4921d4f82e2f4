#include "agent/open_model.h"

#include "agent/model_directory.h"
#include "llm/error.h"

namespace dsv4::agent {

std::unique_ptr<llm::Conversation> open_model(const std::optional<std::string>& named) {
  const std::filesystem::path directory = find_model(named);
  throw llm::ModelError("the model in " + directory.string() + " cannot be run by this version");
}

}  // namespace dsv4::agent
