// Collections of articles in the form of the TREC conferences, in which many news corpora are handed on.
#ifndef RHODES_SOURCE_TREC_H_
#define RHODES_SOURCE_TREC_H_

#include "source/format.h"

namespace rhodes {

// <DOC> ... </DOC> after another; the record is one of them with its tags; kind article.
//
// Text: TEXT (several are joined), else BODY or CONTENT; a HEADLINE, TITLE, HEAD, HL or ABSTRACT, LEADPARA, LP stands
// before it when it says something else. Author: AUTHOR or BYLINE. Time: TIME, DATE_TIME, DATETIME, DATE or PUBDATE.
// DOCNO or DOCID is fields["docno"], URL fields["url"]; other elements are fields under their names in lower case.
// References (&amp;) are replaced. There is no DTD: tags are read in upper and lower case, as they come.
const Format& TrecFormat();

}  // namespace rhodes

#endif  // RHODES_SOURCE_TREC_H_
