#include "base/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

namespace rhodes {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class FileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = ::testing::TempDir() + "rhodes_file_test_" + std::to_string(getpid());
    ASSERT_TRUE(RemoveTree(root_).ok());
    ASSERT_TRUE(CreateDirectories(root_).ok());
  }
  void TearDown() override { ASSERT_TRUE(RemoveTree(root_).ok()); }
  std::string Path(const std::string& name) const { return root_ + "/" + name; }

  std::string root_;
};

TEST_F(FileTest, Write_ReplacesAtomicallyAndLeavesNoPartialFile) {
  ASSERT_TRUE(WriteFileAtomically(Path("a"), "one").ok());
  ASSERT_TRUE(WriteFileAtomically(Path("a"), "two").ok());
  EXPECT_EQ(*ReadFile(Path("a")), "two");
  EXPECT_THAT(*ListFiles(root_), ElementsAre(Path("a")));
}

TEST_F(FileTest, Write_OnAFullDiskKeepsTheOldBytesAndSaysSo) {
  ASSERT_TRUE(WriteFileAtomically(Path("a"), "old").ok());
  // A file size limit fails a write just as a full disk does (EFBIG for ENOSPC), in a child so that it ends with it.
  const pid_t child = fork();
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{1024, 1024};
    setrlimit(RLIMIT_FSIZE, &limit);
    const absl::Status status = WriteFileAtomically(Path("a"), std::string(4096, 'x'));
    _exit(absl::IsResourceExhausted(status) && Message(status).find("free some space") != std::string::npos ? 0 : 1);
  }
  int wait_status = 0;
  ASSERT_EQ(waitpid(child, &wait_status, 0), child);
  EXPECT_EQ(wait_status, 0);
  EXPECT_EQ(*ReadFile(Path("a")), "old");
  EXPECT_FALSE(PathExists(Path("a.partial")));
}

TEST_F(FileTest, Read_OfAMissingFileNamesIt) {
  const absl::Status status = ReadFile(Path("missing")).status();
  EXPECT_TRUE(absl::IsNotFound(status));
  EXPECT_THAT(Message(status), HasSubstr(Path("missing")));
}

TEST_F(FileTest, Map_ShowsTheBytesAndAnEmptyFileIsEmpty) {
  ASSERT_TRUE(WriteFileAtomically(Path("a"), "bytes").ok());
  ASSERT_TRUE(WriteFileAtomically(Path("empty"), "").ok());
  absl::StatusOr<MappedFile> file = MappedFile::Open(Path("a"));
  ASSERT_TRUE(file.ok());
  const MappedFile moved = *std::move(file);
  EXPECT_EQ(moved.bytes(), "bytes");
  EXPECT_EQ(MappedFile::Open(Path("empty"))->bytes(), "");
  EXPECT_TRUE(absl::IsInvalidArgument(MappedFile::Open(root_).status()));
}

TEST_F(FileTest, ListFiles_IsSortedAndDoesNotFollowLinkLoops) {
  ASSERT_TRUE(CreateDirectories(Path("b/c")).ok());
  ASSERT_TRUE(WriteFileAtomically(Path("b/c/z"), "").ok());
  ASSERT_TRUE(WriteFileAtomically(Path("a"), "").ok());
  std::filesystem::create_directory_symlink(root_, Path("b/loop"));
  EXPECT_THAT(*ListFiles(root_), ElementsAre(Path("a"), Path("b/c/z")));
}

TEST_F(FileTest, StagedDirectory_AppearsWholeOrNotAtAll) {
  {
    absl::StatusOr<StagedDirectory> staged = StagedDirectory::Open(Path("out"));
    ASSERT_TRUE(staged.ok());
    ASSERT_TRUE(WriteFileAtomically(staged->path() + "/x", "1").ok());
    EXPECT_FALSE(PathExists(Path("out")));
  }
  EXPECT_THAT(*ListFiles(root_), ElementsAre());
  absl::StatusOr<StagedDirectory> first = StagedDirectory::Open(Path("out"));
  ASSERT_TRUE(WriteFileAtomically(first->path() + "/x", "1").ok());
  ASSERT_TRUE(first->Commit().ok());
  absl::StatusOr<StagedDirectory> second = StagedDirectory::Open(Path("out"));
  ASSERT_TRUE(WriteFileAtomically(second->path() + "/y", "2").ok());
  ASSERT_TRUE(second->Commit().ok());
  EXPECT_THAT(*ListFiles(root_), ElementsAre(Path("out/y")));
}

TEST_F(FileTest, StagedDirectory_KilledBetweenTheRenamesOfCommitPutsTheOldOutputBack) {
  ASSERT_TRUE(CreateDirectories(Path("out.replaced")).ok());
  ASSERT_TRUE(WriteFileAtomically(Path("out.replaced/x"), "old").ok());
  ASSERT_TRUE(CreateDirectories(Path("out.partial")).ok());
  ASSERT_TRUE(WriteFileAtomically(Path("out.partial/x"), "new").ok());
  absl::StatusOr<StagedDirectory> staged = StagedDirectory::Open(Path("out"));
  ASSERT_TRUE(staged.ok());
  EXPECT_EQ(*ReadFile(Path("out/x")), "old");
  EXPECT_FALSE(PathExists(Path("out.replaced")));
}

}  // namespace
}  // namespace rhodes
