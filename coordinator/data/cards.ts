import type { HeldOutCard } from "#shared/task/held-out.ts";
import type { BundledTask } from "./tasks.ts";

/* What is said of the held-out rows of bundled tasks. README.md in this folder says more of each data set. */

const PUBLISHED = "Published data, held out before the rest was shared out among the devices.";

export const HELD_OUT_CARDS: Readonly<Record<BundledTask, HeldOutCard>> = {
  digits: {
    source:
      "E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, test part, UCI Machine Learning Repository, doi:10.24432/C50P49.",
    licence: "CC BY 4.0.",
    ground: PUBLISHED,
    collected: "Published in 1998",
  },
  hmda: {
    source:
      "A. Munnell, G. Tootell, L. Browne and J. McEneaney, Federal Reserve Bank of Boston, as distributed with J. Stock and M. Watson, Introduction to Econometrics.",
    licence: "None is stated: data of a federal reserve bank, distributed for teaching.",
    ground: `${PUBLISHED} It names no applicant.`,
    collected: "Applications of 1990, published in 1996",
  },
  "fashion-mnist": {
    source: "H. Xiao, K. Rasul and R. Vollgraf, Fashion-MNIST, Zalando SE, arXiv:1708.07747, test part.",
    licence: "MIT.",
    ground: PUBLISHED,
    collected: "Published in 2017",
  },
  cps1998: {
    source:
      "US Bureau of Labor Statistics, Current Population Survey, as distributed with J. Stock and M. Watson, Introduction to Econometrics.",
    licence: "Public domain.",
    ground: `${PUBLISHED} It names no person.`,
    collected: "March 1999, about 1998",
  },
  tumours: {
    source:
      "W. Wolberg, O. Mangasarian, N. Street and W. Street, Breast Cancer Wisconsin (Diagnostic), UCI Machine Learning Repository, doi:10.24432/C5DW2B.",
    licence: "CC BY 4.0.",
    ground: `${PUBLISHED} It names no patient.`,
    collected: "Published in 1995",
  },
  "pen-digits": {
    source:
      "E. Alpaydin and F. Alimoglu, Pen-Based Recognition of Handwritten Digits, test part, UCI Machine Learning Repository, doi:10.24432/C5MG6K.",
    licence: "CC BY 4.0.",
    ground: PUBLISHED,
    collected: "Published in 1996",
  },
  emoji: {
    source:
      "Twemoji 16.0.1, Twitter and contributors, averaged down to 8 by 8 pixels, from the npm package emoji-datasource-twitter 16.0.0.",
    licence: "CC BY 4.0.",
    ground: PUBLISHED,
    collected: "Drawings of Twemoji 16.0.1",
  },
};

/** Of rows that the demo was given in place of the bundled ones. Nothing is known of them. */
export const OTHER_ROWS_CARD: HeldOutCard = {
  source: "A data set that the demo was started with (--dataset).",
  licence: "Not said.",
  ground: "Whoever started the demo chose it; held out before the rest was shared out among the devices.",
  collected: "Not said",
};
