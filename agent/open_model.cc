#include "agent/open_model.h"

#include "agent/model_directory.h"
#include "llm/local_conversation.h"

namespace dsv4::agent {

std::unique_ptr<llm::Conversation> open_model(const std::optional<std::string>& named) {
  return llm::open_local(find_model(named));
}

}  // namespace dsv4::agent
