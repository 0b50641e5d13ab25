// An HTML page as a tree, built as browsers build it where it matters for finding text.
#ifndef RHODES_SOURCE_HTML_TREE_H_
#define RHODES_SOURCE_HTML_TREE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rhodes {

// The elements that anything depends on; all others are kOther.
enum class HtmlElement : uint8_t {
  kText,
  kOther,
  kA,
  kAddress,
  kArticle,
  kAside,
  kAudio,
  kB,
  kBlockquote,
  kBody,
  kBr,
  kButton,
  kCanvas,
  kCaption,
  kCenter,
  kDatalist,
  kDd,
  kDetails,
  kDialog,
  kDiv,
  kDl,
  kDt,
  kEm,
  kEmbed,
  kFieldset,
  kFigcaption,
  kFigure,
  kFont,
  kFooter,
  kForm,
  kFrame,
  kH1,
  kH2,
  kH3,
  kH4,
  kH5,
  kH6,
  kHead,
  kHeader,
  kHr,
  kHtml,
  kI,
  kIframe,
  kImg,
  kInput,
  kLabel,
  kLegend,
  kLi,
  kLink,
  kMain,
  kMeta,
  kNav,
  kNoscript,
  kObject,
  kOl,
  kOption,
  kP,
  kPicture,
  kPre,
  kScript,
  kSection,
  kSelect,
  kSource,
  kSpan,
  kStrong,
  kStyle,
  kSummary,
  kSvg,
  kTable,
  kTbody,
  kTd,
  kTemplate,
  kTextarea,
  kTfoot,
  kTh,
  kThead,
  kTime,
  kTitle,
  kTr,
  kTrack,
  kUl,
  kVideo
};

struct HtmlNode {
  HtmlElement element = HtmlElement::kText;
  uint32_t parent = 0;
  uint32_t first_child = 0;  // 0: none
  uint32_t last_child = 0;
  uint32_t next = 0;            // sibling; 0: none
  std::string_view text;        // of kText, and of script and style: as written
  std::string_view attributes;  // as written
};

// Node 0 is the document. Deeper than kMostDepth elements are put beside instead of inside, so that no recursion over
// the tree is deeper. Views point into the page.
struct HtmlTree {
  static constexpr uint32_t kMostDepth = 256;
  std::vector<HtmlNode> nodes;
};

// Never fails; linear in the page.
HtmlTree ParseHtml(std::string_view html);

// The value of an attribute as written, or empty.
std::string_view HtmlAttribute(std::string_view attributes, std::string_view name);
bool HasHtmlAttribute(std::string_view attributes, std::string_view name);

bool IsHtmlBlock(HtmlElement element);    // stands on lines of its own
bool IsHtmlHeading(HtmlElement element);  // h1 to h6

}  // namespace rhodes

#endif  // RHODES_SOURCE_HTML_TREE_H_
