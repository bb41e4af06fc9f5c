#include "storage/checked_column.h"

#include <parquet/column_page.h>

#include <utility>

#include "aios/error.h"

namespace aios {
namespace {

class CheckedPages final : public parquet::PageReader {
 public:
  CheckedPages(std::unique_ptr<parquet::PageReader> pages, std::string path)
      : pages_(std::move(pages)), path_(std::move(path)) {}

  std::shared_ptr<parquet::Page> NextPage() override {
    auto page = pages_->NextPage();
    if (page != nullptr && page->type() == parquet::PageType::DICTIONARY_PAGE) {
      check(static_cast<const parquet::DictionaryPage&>(*page));
    }
    return page;
  }
  void set_max_page_header_size(uint32_t size) override { pages_->set_max_page_header_size(size); }

 private:
  void check(const parquet::DictionaryPage& page) const {
    constexpr int32_t kLeastValueBytes = 4;  // an INT32, or the length of a BYTE_ARRAY
    if (page.num_values() >= 0 && page.num_values() <= page.size() / kLeastValueBytes) return;
    throw FormatError("'" + path_ + "' is no sound Parquet file: a dictionary of " +
                      std::to_string(page.size()) + " bytes claims " +
                      std::to_string(page.num_values()) + " values; fetch or convert it again");
  }

  std::unique_ptr<parquet::PageReader> pages_;
  std::string path_;
};

}  // namespace

std::shared_ptr<parquet::ColumnReader> open_column(parquet::RowGroupReader& row_group, int column,
                                                   const std::string& path) {
  return parquet::ColumnReader::Make(
      row_group.metadata()->schema()->Column(column),
      std::make_unique<CheckedPages>(row_group.GetColumnPageReader(column), path));
}

}  // namespace aios
