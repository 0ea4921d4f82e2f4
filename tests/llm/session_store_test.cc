// Sessions on disk: what comes back is right or nothing, whatever happens to the files.
#include "llm/session_store.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <random>
#include <string>
#include <thread>

#include "llm/error.h"
#include "tests/catch.h"
#include "tests/llm/fixture.h"

using namespace dsv4;
using llm::Session;
using llm::SessionStore;
namespace fs = std::filesystem;

namespace {

class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "dsv4-store-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  const fs::path& path() const { return path_; }
  std::vector<fs::path> files() const {
    std::vector<fs::path> found;
    for (const auto& entry : fs::recursive_directory_iterator(path_)) {
      if (entry.is_regular_file()) found.push_back(entry.path());
    }
    std::sort(found.begin(), found.end());
    return found;
  }

 private:
  fs::path path_;
};

struct Opened {
  explicit Opened(const char* name = "published")
      : fixture(name), model(llm::Model::open(fixture.directory)) {}

  std::unique_ptr<Session> session() {
    llm::SessionOptions options;
    options.checkpoint_every = 1024;
    return std::make_unique<Session>(model, pool, options);
  }
  std::vector<int32_t> ids(size_t n, uint32_t seed = 1) const {
    std::mt19937 random(seed);
    std::vector<int32_t> out(n);
    const auto vocab = static_cast<uint32_t>(model->config().vocab_size);
    for (int32_t& id : out) id = static_cast<int32_t>(random() % vocab);
    return out;
  }

  Fixture fixture;
  std::shared_ptr<const llm::Model> model;
  kernels::ThreadPool pool{2};
};

std::vector<float> copy(std::span<const float> logits) { return {logits.begin(), logits.end()}; }

// Whether both go on in the same way, bit for bit.
bool same_from_here(Session& a, Session& b, const std::vector<int32_t>& more) {
  const auto same = [&] {
    return a.position() == b.position() && std::ranges::equal(a.logits(), b.logits());
  };
  const bool before = same();
  a.append(more);
  b.append(more);
  return before && same();
}

}  // namespace

TEST_CASE("SHA-256 equals the standard's examples") {
  const auto hex = [](const std::string& text) {
    llm::Sha256 hash;
    // In uneven pieces.
    const auto* bytes = reinterpret_cast<const uint8_t*>(text.data());
    for (size_t at = 0, n = 1; at < text.size(); at += n, n = n % 70 + 3) {
      hash.add(std::span(bytes + at, std::min(n, text.size() - at)));
    }
    return llm::to_hex(hash.finish());
  };
  REQUIRE(hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  REQUIRE(hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  REQUIRE(hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
          "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  REQUIRE(hex(std::string(1'000'000, 'a')) ==
          "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("a saved session goes on exactly, and a second save writes only what is new") {
  Opened o;
  Folder folder;
  SessionStore store({folder.path()});
  const std::vector<int32_t> ids = o.ids(5000);
  const auto session = o.session();
  session->append(std::span(ids).first(4000));
  const llm::SaveReport first = store.save(*session);
  REQUIRE(first.written > 4);
  REQUIRE(store.save(*session).written == 0);

  const auto loaded = o.session();
  REQUIRE(store.load(*loaded, first.key));
  REQUIRE(loaded->ids() == session->ids());
  const auto straight = o.session();
  straight->append(std::span(ids).first(4000));
  REQUIRE(same_from_here(*loaded, *straight, o.ids(300, 2)));

  session->append(std::span(ids).subspan(4000, 200));
  const llm::SaveReport second = store.save(*session);
  REQUIRE(second.written == 3);  // the block that became full, its end and the end
  REQUIRE(second.shared > 4);
  REQUIRE(second.written_bytes < first.written_bytes / 2);
}

TEST_CASE("a new session takes over as much of its beginning as was ever computed") {
  Opened o;
  Folder folder;
  SessionStore store({folder.path()});
  const std::vector<int32_t> ids = o.ids(3500);
  const auto session = o.session();
  session->append(ids);
  store.save(*session);

  std::vector<int32_t> longer = ids;
  longer.push_back(1);
  std::vector<int32_t> changed = ids;
  changed[2500] ^= 1;
  const std::tuple<std::vector<int32_t>, int64_t> cases[] = {
      {ids, 3500}, {longer, 3072}, {changed, 2048}, {o.ids(3500, 9), 0}};
  for (const auto& [wanted, expected] : cases) {
    const auto other = o.session();
    REQUIRE(store.restore(*other, wanted) == expected);
    REQUIRE(other->position() == expected);

    other->append(std::span(wanted).subspan(static_cast<size_t>(expected)));
    const auto straight = o.session();
    straight->append(wanted);
    REQUIRE(same_from_here(*other, *straight, {3, 2, 1}));
  }
}

TEST_CASE("a session of another model or precision is nobody's") {
  Opened o;
  Opened other("all_kinds");
  Folder folder;
  SessionStore store({folder.path()});
  const std::vector<int32_t> ids(2000, 5);
  const auto session = o.session();
  session->append(ids);
  const llm::Digest key = store.save(*session).key;
  const auto foreign = other.session();
  REQUIRE(store.restore(*foreign, ids) == 0);
  REQUIRE_FALSE(store.load(*foreign, key));
  llm::SessionOptions f32;
  f32.precision = llm::Precision::kF32;
  Session plain(o.model, o.pool, f32);
  REQUIRE(store.restore(plain, ids) == 0);
  REQUIRE_FALSE(store.load(plain, key));
  REQUIRE(plain.position() == 0);
}

TEST_CASE("damaged, cut and foreign files are dropped, never believed, and written anew") {
  Opened o;
  const std::vector<int32_t> ids = o.ids(3300);
  const auto session = o.session();
  session->append(ids);
  std::mt19937 random(std::random_device{}());
  for (int round = 0; round < 24; ++round) {
    Folder folder;
    SessionStore store({folder.path()});
    const llm::Digest key = store.save(*session).key;
    const std::vector<fs::path> files = folder.files();
    const fs::path victim = files[random() % files.size()];
    const auto size = fs::file_size(victim);
    INFO("round " << round << " of kind " << round % 4);
    switch (round % 4) {
      case 0: {
        std::fstream f(victim, std::ios::in | std::ios::out | std::ios::binary);
        const auto at = static_cast<std::streamoff>(random() % size);
        f.seekg(at);
        const char byte = static_cast<char>(f.get());
        f.seekp(at);
        f.put(static_cast<char>(byte ^ (1 << random() % 8)));
        break;
      }
      case 1:
        fs::resize_file(victim, random() % size);
        break;
      case 2: {
        const fs::path other = files[random() % files.size()];
        if (other != victim) fs::copy_file(other, victim, fs::copy_options::overwrite_existing);
        break;
      }
      default:
        fs::remove(victim);
        fs::create_directory(victim);
        break;
    }
    const auto restored = o.session();
    const int64_t position = store.restore(*restored, ids);
    restored->append(std::span(ids).subspan(static_cast<size_t>(position)));
    REQUIRE(copy(restored->logits()) == copy(session->logits()));
    const auto loaded = o.session();
    if (store.load(*loaded, key)) {
      REQUIRE(copy(loaded->logits()) == copy(session->logits()));
    } else {
      REQUIRE(loaded->position() == 0);
    }
    if (round % 4 == 3) continue;  // a directory in the way is not ours to remove
    store.save(*session);
    const auto again = o.session();
    REQUIRE(store.restore(*again, ids) == 3300);
  }
}

TEST_CASE("the size is kept within the capacity; what was used last stays") {
  Opened o;
  Folder folder;
  SessionStore unlimited({folder.path()});
  const std::vector<int32_t> old_ids = o.ids(2100, 3);
  const auto old = o.session();
  old->append(old_ids);
  unlimited.save(*old);
  uintmax_t bytes = 0;
  for (const fs::path& file : folder.files()) {
    bytes += fs::file_size(file);
    fs::last_write_time(file, fs::file_time_type::clock::now() - std::chrono::hours(5));
  }
  const std::vector<int32_t> ids = o.ids(2100, 4);
  const auto session = o.session();
  session->append(ids);
  SessionStore store({folder.path(), static_cast<int64_t>(bytes)});
  store.save(*session);
  REQUIRE(store.restore(*o.session(), ids) == 2100);
  REQUIRE(store.restore(*o.session(), old_ids) == 0);
  uintmax_t after = 0;
  for (const fs::path& file : folder.files()) after += fs::file_size(file);
  REQUIRE(after <= bytes);
}

TEST_CASE("a process that is killed while it saves leaves nothing wrong behind") {
  Opened o;
  const std::vector<int32_t> ids = o.ids(2600);
  const auto session = o.session();
  session->append(ids);
  const auto expected = copy(session->logits());
  Folder folder;
  std::mt19937 random(std::random_device{}());
  constexpr int kKills = 200;
  for (int kill = 0; kill < kKills; ++kill) {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      // Saves, forgets and saves again until it is killed.
      for (;;) {
        SessionStore store({folder.path()});
        store.save(*session);
        SessionStore({folder.path(), 0}).trim();
      }
    }
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 4000));
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    SessionStore store({folder.path()});
    const auto restored = o.session();
    const int64_t position = store.restore(*restored, ids);
    REQUIRE(restored->position() == position);
    if (position == 2600) REQUIRE(copy(restored->logits()) == expected);
    if (kill % 20 != 0) continue;
    restored->append(std::span(ids).subspan(static_cast<size_t>(position)));
    REQUIRE(copy(restored->logits()) == expected);
  }
}

TEST_CASE("a directory that cannot be used is named") {
  Folder folder;
  std::ofstream(folder.path() / "file") << "x";
  REQUIRE_THROWS_WITH(SessionStore({folder.path() / "file" / "below"}),
                      message_with("cannot be saved in"));
}
