#include "tools/object_store.h"

#include <git2/sys/config.h>
#include <git2/sys/mempack.h>
#include <git2/sys/odb_backend.h>
#include <git2/sys/repository.h>

#include <system_error>

#include "tools/error.h"

namespace dsv4::tools {
namespace {

constexpr size_t kMemoryBudget = 64 << 20;
constexpr const char* kPatching = "making a patch";
constexpr size_t kInMemory = 1 << 20;  // larger contents go to files at once
// zlib's fastest. libgit2 1.5 cannot read back a small content that was written without any.
constexpr int kCompression = 1;

void check(int code, const char* what) {
  if (code >= 0) return;
  const git_error* error = git_error_last();
  throw ToolError(std::string("the record of changes failed while ") + what + " (" +
                  (error && error->message ? error->message : "no reason given") +
                  "); look for free space and start again.");
}

// Calls a libgit2 function that fills in a pointer and hands over what it made.
template <typename Handle, typename Function, typename... Arguments>
Handle made(const char* what, Function function, Arguments... arguments) {
  typename Handle::pointer raw = nullptr;
  check(function(&raw, arguments...), what);
  return Handle(raw);
}

// libgit2 counts its users and sets itself up for the first of them, reading every certificate of
// the machine, which takes far longer than all else here: so one user stays for the whole process.
class GitLibrary {
 public:
  GitLibrary() { git_libgit2_init(); }
  GitLibrary(const GitLibrary&) = delete;
  GitLibrary& operator=(const GitLibrary&) = delete;
  ~GitLibrary() { git_libgit2_shutdown(); }
};

void need_git_library() { static const GitLibrary library; }

using Config = GitHandle<git_config, git_config_free>;
using Diff = GitHandle<git_diff, git_diff_free>;
using Index = GitHandle<git_index, git_index_free>;
using Object = GitHandle<git_odb_object, git_odb_object_free>;
using Tree = GitHandle<git_tree, git_tree_free>;

}  // namespace

ObjectStore::ObjectStore(const std::filesystem::path& directory,
                         const std::filesystem::path& known) {
  constexpr const char* kOpening = "opening it";
  need_git_library();
  const std::filesystem::path objects = directory / "objects";
  std::error_code failed;
  std::filesystem::create_directories(objects, failed);
  if (failed) {
    throw ToolError(objects.string() + " cannot be made (" + failed.message() +
                    "); give a run directory that can be written.");
  }
  const bool more = std::filesystem::is_directory(known, failed);
  const auto add_files = [&](git_odb* database) {
    git_odb_backend* backend = nullptr;
    check(git_odb_backend_loose(&backend, objects.c_str(), kCompression, 0, 0700, 0600), kOpening);
    check(git_odb_add_backend(database, backend, 2), kOpening);
    if (!more) return;
    check(git_odb_backend_loose(&backend, known.c_str(), kCompression, 0, 0700, 0600), kOpening);
    check(git_odb_add_alternate(database, backend, 1), kOpening);
  };
  disk_ = made<Database>(kOpening, git_odb_new);
  add_files(disk_.get());
  memory_ = made<Database>(kOpening, git_odb_new);
  git_odb_backend* backend = nullptr;
  check(git_mempack_new(&backend), kOpening);
  check(git_odb_add_backend(memory_.get(), backend, 3), kOpening);
  add_files(memory_.get());
  git_repository* repository = nullptr;
  check(git_repository_wrap_odb(&repository, memory_.get()), kOpening);
  repository_.reset(repository);
  const auto empty = made<Config>(kOpening, git_config_new);
  check(git_repository_set_config(repository_.get(), empty.get()), kOpening);
}

ObjectId ObjectStore::id_of(std::string_view bytes) {
  ObjectId id;
  check(git_odb_hash(&id, bytes.data(), bytes.size(), GIT_OBJECT_BLOB), "keeping a file");
  return id;
}

ObjectId ObjectStore::put(std::string_view bytes) {
  ObjectId id = id_of(bytes);
  if (git_odb_exists_ext(memory_.get(), &id, GIT_ODB_LOOKUP_NO_REFRESH)) return id;
  const bool in_memory = bytes.size() <= kInMemory && memory_used_ + bytes.size() <= kMemoryBudget;
  check(git_odb_write(&id, in_memory ? memory_.get() : disk_.get(), bytes.data(), bytes.size(),
                      GIT_OBJECT_BLOB),
        "keeping a file");
  if (in_memory) memory_used_ += bytes.size();
  return id;
}

void ObjectStore::keep(const ObjectId& id) {
  if (git_oid_is_zero(&id)) return;
  if (git_odb_exists_ext(disk_.get(), &id, GIT_ODB_LOOKUP_NO_REFRESH)) return;
  const std::string bytes = get(id);
  ObjectId written;
  check(git_odb_write(&written, disk_.get(), bytes.data(), bytes.size(), GIT_OBJECT_BLOB),
        "keeping a file");
}

std::string ObjectStore::get(const ObjectId& id) const {
  const auto object = made<Object>("reading a kept file", git_odb_read, memory_.get(), &id);
  return std::string(static_cast<const char*>(git_odb_object_data(object.get())),
                     git_odb_object_size(object.get()));
}

ObjectId ObjectStore::tree(const std::vector<PatchFile>& files) const {
  const auto index = made<Index>(kPatching, git_index_new);
  for (const PatchFile& file : files) {
    git_index_entry entry{};
    entry.mode = file.mode;
    entry.id = file.id;
    entry.path = file.path.c_str();
    git_index_add(index.get(), &entry);  // refuses names that no git tree may hold
  }
  ObjectId id;
  check(git_index_write_tree_to(&id, index.get(), repository_.get()), kPatching);
  return id;
}

std::string ObjectStore::patch(const std::vector<PatchFile>& from,
                               const std::vector<PatchFile>& to) const {
  const ObjectId old_id = tree(from);
  const ObjectId new_id = tree(to);
  const auto old_tree = made<Tree>(kPatching, git_tree_lookup, repository_.get(), &old_id);
  const auto new_tree = made<Tree>(kPatching, git_tree_lookup, repository_.get(), &new_id);
  git_diff_options options = GIT_DIFF_OPTIONS_INIT;
  options.flags = GIT_DIFF_SHOW_BINARY;
  const auto diff = made<Diff>(kPatching, git_diff_tree_to_tree, repository_.get(), old_tree.get(),
                               new_tree.get(), &options);
  git_buf buffer{};
  const int code = git_diff_to_buf(&buffer, diff.get(), GIT_DIFF_FORMAT_PATCH);
  std::string result(buffer.ptr ? buffer.ptr : "", buffer.size);
  git_buf_dispose(&buffer);
  check(code, kPatching);
  return result;
}

std::vector<std::string> tracked_paths(const std::filesystem::path& index_file) {
  need_git_library();
  std::vector<std::string> result;
  std::error_code failed;
  if (!std::filesystem::is_regular_file(std::filesystem::symlink_status(index_file, failed))) {
    return result;
  }
  git_index* opened = nullptr;
  if (git_index_open(&opened, index_file.c_str()) < 0) return result;
  const Index index(opened);
  const size_t count = git_index_entrycount(index.get());
  result.reserve(count);
  for (size_t k = 0; k < count; ++k) result.push_back(git_index_get_byindex(index.get(), k)->path);
  return result;
}

}  // namespace dsv4::tools
