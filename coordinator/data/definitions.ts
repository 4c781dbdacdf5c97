import {
  adam,
  type Definition,
  DIGITS,
  deadlines,
  numeric,
  pictureModel,
  sgd,
  tableModel,
  yesOrNo,
} from "./definition.ts";

/*
 * What the bundled tasks of classes are. Devices agreed to these words and numbers, so they stay.
 */

export const DEFINITIONS: Readonly<Record<"digits" | "hmda" | "fashion-mnist", Definition>> = {
  digits: {
    invitation: "Help a model read handwriting, and keep yours to yourself",
    learns: "which digit is drawn",
    exampleNoun: { one: "drawing", many: "drawings" },
    dataCard:
      "Optical Recognition of Handwritten Digits, test part: 1,797 pictures of 8 by 8 grey pixels. Alpaydin and Kaynak 1998, UCI Machine Learning Repository, CC BY 4.0.",
    model: pictureModel([8, 8, 1], 32, 10),
    features: { kind: "image", height: 8, width: 8, range: [0, 16], classes: DIGITS },
    // Dirichlet(0.5) over 8 devices gives 0.95 to 0.96 after 15 rounds on seeds 1 to 8. One epoch falls short
    // of 0.93.
    training: { epochs: 5, batchSize: 16, optimizer: sgd, proximalMu: 0 },
    aggregation: { clipNormL2: 8, weightCap: 1_000, deadlines: deadlines(60_000) },
  },
  hmda: {
    invitation: "Help a model learn how mortgages were decided, and keep the applications to yourself",
    learns: "whether a mortgage application is denied",
    exampleNoun: { one: "application", many: "applications" },
    dataCard:
      "Mortgage decisions in Boston 1990, 2,380 applications. Federal Reserve Bank of Boston (Munnell et al. 1996), as distributed with Stock and Watson's textbook.",
    // 6 numbers and 6 questions with two answers each. `afam` is left out.
    model: tableModel(18, 16, 2),
    features: {
      kind: "tabular",
      columns: [
        numeric("pirat", 0, 3),
        numeric("hirat", 0, 3),
        numeric("lvrat", 0, 2),
        numeric("chist", 1, 6),
        numeric("mhist", 1, 4),
        yesOrNo("phist"),
        { ...numeric("unemp", 0, 12), unit: "%" },
        yesOrNo("selfemp"),
        yesOrNo("insurance"),
        yesOrNo("condomin"),
        // Used to judge models, never as an input.
        { ...yesOrNo("afam"), protected: true, input: false },
        yesOrNo("single"),
        yesOrNo("hschool"),
      ],
      label: { name: "deny" },
      classes: ["no", "yes"],
    },
    training: { epochs: 3, batchSize: 16, optimizer: adam(0.01), proximalMu: 0 },
    aggregation: { clipNormL2: 5, weightCap: 1_000, deadlines: deadlines(60_000) },
  },
  "fashion-mnist": {
    invitation: "Help a model tell clothes apart, and keep your pictures to yourself",
    learns: "which piece of clothing a picture shows",
    exampleNoun: { one: "picture", many: "pictures" },
    dataCard:
      "Fashion-MNIST, the 10,000 test pictures of 28 by 28 grey pixels. Xiao, Rasul and Vollgraf 2017, Zalando SE, MIT licence.",
    model: pictureModel([28, 28, 1], 128, 10),
    features: {
      kind: "image",
      height: 28,
      width: 28,
      range: [0, 255],
      classes: [
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
      ],
    },
    training: { epochs: 1, batchSize: 32, optimizer: sgd, proximalMu: 0 },
    aggregation: { clipNormL2: 20, weightCap: 20_000, deadlines: deadlines(300_000) },
  },
};
