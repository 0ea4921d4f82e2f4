#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>

#include "tools/bytes_json.h"
#include "tools/error.h"
#include "tools/history.h"

// How a History is written down. The first state is a file of its own, since it names every file of
// the working copy; all else is in the objects that save() returns.

namespace dsv4::tools {
namespace {

using Json = nlohmann::ordered_json;

std::string hex_of(const ObjectId& id) {
  std::string hex(GIT_OID_HEXSZ, '0');
  git_oid_fmt(hex.data(), &id);
  return hex;
}

ObjectId id_of(const std::string& hex) {
  ObjectId id;
  if (hex.size() != GIT_OID_HEXSZ || git_oid_fromstr(&id, hex.c_str()) != 0) {
    throw ToolError("the saved state names no content: " + hex.substr(0, 60));
  }
  return id;
}

template <typename Entry>
Json json_of(const std::optional<Entry>& entry) {
  if (!entry) return nullptr;
  return {entry->mode, hex_of(entry->id), entry->size, entry->modified};
}

template <typename Entry>
std::optional<Entry> entry_of(const Json& json) {
  if (json.is_null()) return std::nullopt;
  Entry entry;
  json.at(0).get_to(entry.mode);
  entry.id = id_of(json.at(1));
  json.at(2).get_to(entry.size);
  json.at(3).get_to(entry.modified);
  return entry;
}

template <typename Change>
Json json_of_change(const Change& change) {
  Json json = Json::array();
  for (const auto& item : change) {
    json.push_back({bytes_to_json(item.path), json_of(item.before), json_of(item.after)});
  }
  return json;
}

template <typename Change>
Change change_of(const Json& json) {
  Change change;
  for (const Json& item : json) {
    auto& path = change.emplace_back();
    path.path = bytes_from_json(item.at(0));
    using Entry = typename std::decay_t<decltype(*path.before)>;
    path.before = entry_of<Entry>(item.at(1));
    path.after = entry_of<Entry>(item.at(2));
  }
  return change;
}

Json json_of_paths(const std::set<std::string>& paths) {
  Json json = Json::array();
  for (const std::string& path : paths) json.push_back(bytes_to_json(path));
  return json;
}

std::set<std::string> paths_of(const Json& json) {
  std::set<std::string> paths;
  for (const Json& path : json) paths.insert(bytes_from_json(path));
  return paths;
}

// One number of a line, and the blank after it.
template <typename Number>
Number take(std::string_view& line, int base) {
  Number number = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), number, base);
  if (error != std::errc() || end == line.data() + line.size() || *end != ' ') {
    throw ToolError("the saved first state is damaged");
  }
  line.remove_prefix(static_cast<size_t>(end - line.data()) + 1);
  return number;
}

}  // namespace

// "MODE CONTENT SIZE TIME PATH" of each, ended by NUL.
void History::save_base() {
  std::string text;
  for (const auto& [path, entry] : *base_) {
    store_.keep(entry.id);
    char mode[16];
    const auto end = std::to_chars(mode, mode + sizeof mode, entry.mode, 8).ptr;
    text.append(mode, end);
    text += ' ' + hex_of(entry.id) + ' ' + std::to_string(entry.size) + ' ' +
            std::to_string(entry.modified) + ' ' + path + '\0';
  }
  const std::filesystem::path file = state_dir_ / ("base-" + std::to_string(++saved_bases_));
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out << text << std::flush;
  if (!out) throw ToolError("cannot write " + file.string() + "; look for free space.");
  saved_base_ = base_;
}

History::Entries History::load_base(const std::string& name, size_t count) const {
  std::ifstream in(state_dir_ / name, std::ios::binary);
  Entries entries;
  for (std::string record; std::getline(in, record, '\0');) {
    std::string_view line = record;
    Entry entry;
    entry.mode = take<mode_t>(line, 8);
    if (line.size() < GIT_OID_HEXSZ + 1) throw ToolError("the saved first state is damaged");
    entry.id = id_of(std::string(line.substr(0, GIT_OID_HEXSZ)));
    line.remove_prefix(GIT_OID_HEXSZ + 1);
    entry.size = take<int64_t>(line, 10);
    entry.modified = take<int64_t>(line, 10);
    entries.emplace(std::string(line), entry);
  }
  if (entries.size() != count) throw ToolError("the saved first state is not whole");
  return entries;
}

Json History::save() {
  Json now = Json::object();
  if (saved_base_ != base_) {
    save_base();
    now["base"] = {"base-" + std::to_string(saved_bases_), base_->size()};
  }
  const auto keep_all = [this](const Change& change) {
    for (const PathChange& item : change) {
      if (item.before) store_.keep(item.before->id);
      if (item.after) store_.keep(item.after->id);
    }
  };
  const Change changes = difference(*base_, current_);
  keep_all(changes);
  now["changes"] = json_of_change(changes);
  now["written"] = json_of_paths(written_);
  now["products"] = json_of_paths(products_);
  Json fresh = Json::object();
  for (const auto& [key, value] : now.items()) {
    if (saved_.contains(key) && saved_[key] == value) continue;
    fresh[key] = value;
    saved_[key] = value;
  }
  size_t same = 0;
  const size_t most = std::min(steps_.size(), saved_steps_.size());
  while (same < most && steps_[same] == saved_steps_[same]) ++same;
  if (same != steps_.size() || same != saved_steps_.size()) {
    Json added = Json::array();
    for (size_t k = same; k < steps_.size(); ++k) {
      keep_all(*steps_[k]);
      added.push_back(json_of_change(*steps_[k]));
    }
    fresh["steps"] = {same, added};
    saved_steps_ = steps_;
  }
  return fresh;
}

struct History::Saved {
  Json base;
  size_t bases = 0;  // files written
  Json changes;      // from the base
  std::set<std::string> written;
  std::set<std::string> products;
  std::vector<std::shared_ptr<const Change>> steps;
};

History::Saved History::read(std::span<const Json> saved) {
  Saved out;
  for (const Json& part : saved) {
    if (part.contains("base")) {
      out.base = part["base"];
      ++out.bases;
    }
    if (part.contains("changes")) out.changes = part["changes"];
    if (part.contains("written")) out.written = paths_of(part["written"]);
    if (part.contains("products")) out.products = paths_of(part["products"]);
    if (!part.contains("steps")) continue;
    const size_t same = part["steps"].at(0);
    if (same > out.steps.size()) throw ToolError("the saved steps are not whole");
    out.steps.resize(same);
    for (const Json& step : part["steps"].at(1)) {
      out.steps.push_back(std::make_shared<const Change>(change_of<Change>(step)));
    }
  }
  if (!out.changes.is_array()) throw ToolError("the saved changes are not whole");
  return out;
}

std::shared_ptr<const History::Mark> History::mark_at(std::span<const Json> saved) const {
  Saved then = read(saved);
  const auto base = std::make_shared<const Entries>(load_base(then.base.at(0), then.base.at(1)));
  return std::make_shared<const Mark>(
      Mark{base, change_of<Change>(then.changes), std::move(then.steps)});
}

void History::resume(std::span<const Json> saved) {
  Saved then = read(saved);
  saved_bases_ = then.bases;
  written_ = std::move(then.written);
  products_ = std::move(then.products);
  steps_ = std::move(then.steps);
  base_ = std::make_shared<const Entries>(load_base(then.base.at(0), then.base.at(1)));
  go_back({base_, change_of<Change>(then.changes), steps_});
  saved_base_ = base_;
  saved_steps_ = steps_;
  saved_["changes"] = std::move(then.changes);
  saved_["written"] = json_of_paths(written_);
  saved_["products"] = json_of_paths(products_);
}

}  // namespace dsv4::tools
